//! Tells people what the week brought, and tells nobody twice.
//!
//! ```text
//! briefing ─┐
//! report ───┼─► message ─► for each target: sent before? ── yes ──► left alone
//! deliveries┘   (an id)                        └─ no ──► send, try again, write down
//! ```
//!
//! `deliveries` is an outbox: one row for each message and target. A message is known by a digest
//! of what it says, so running the step again, or a task again after a crash, sends only what is
//! missing. When some targets fail, what was sent is committed first and the step fails after it;
//! the next try must be given the newest `deliveries`, not those of the try before.
//!
//! Between sending and the commit the process may die, and then the next try sends once more. For
//! that, receivers get a way to tell: the same `webhook-id` and `Idempotency-Key`, the same
//! `Message-ID`. Slack has no such thing.
//!
//! Addresses that are secrets (a Slack webhook is one), signing keys and passwords come from the
//! environment or from files and are named in the configuration only. They are neither part of the
//! fingerprint nor in any output: what becomes of a message does not change its rows.

mod clock;
mod compose;
mod config;
mod deliver;
mod failure;
mod level;
mod message;
mod outbox;
mod secret;

pub use config::{Config, Email, Security, Slack, Target, Webhook};
pub use level::Level;

use mixline_schema::catalog::{Briefing, Deliveries, File};
use mixline_step::{Column, Context, Step, StepError, Table, inputs, outputs};

use crate::message::Message;
use crate::outbox::Outbox;

inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// The sentences to tell, in order.
        briefing: Briefing,
        /// The report they come from: one self-contained file.
        report: Option<File> as "report",
        /// What was sent before.
        deliveries: Option<Deliveries>,
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// This message, for each target, and what became of it.
        deliveries: Deliveries => Upsert,
    }
}

/// What a run without targets says in its result.
const NO_TARGETS: &str = "nobody is told: no targets are configured. Add one, for example \
     `[tasks.notify.config.targets.team]` with `kind = \"slack\"` and \
     `url_env = \"SLACK_WEBHOOK_URL\"`";

/// The step.
#[derive(Debug)]
pub struct Notify;

impl Step for Notify {
    const NAME: &'static str = "step-notify";
    const ABOUT: &'static str = "Tells people what the week brought, and tells nobody twice.";
    // Rows of targets that have the message are kept. Targets are named by the configuration.
    const COLUMNS: &'static [Column] = &[
        Column::made(
            "deliveries.message_id",
            &[
                "briefing.kind",
                "briefing.level",
                "briefing.text",
                "report.bytes",
            ],
        ),
        Column::made("deliveries.target", &[]),
        Column::same("deliveries.kind", &["deliveries.kind"]),
        Column::made(
            "deliveries.status",
            &["briefing.level", "deliveries.status"],
        ),
        Column::made("deliveries.attempts", &["deliveries.attempts"]),
        Column::made(
            "deliveries.subject",
            &["briefing.level", "briefing.text", "deliveries.subject"],
        ),
        Column::made(
            "deliveries.detail",
            &["briefing.level", "deliveries.detail"],
        ),
    ];
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        config.check()
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        if config.targets.is_empty() {
            tracing::info!("{NO_TARGETS}");
            ctx.note("note", NO_TARGETS);
            return Ok(Outputs {
                deliveries: Table::empty(),
            });
        }
        ctx.progress(0.1, "composing");
        let message = Message::read(&inputs.briefing, inputs.report.as_ref(), config)?;
        let mut outbox = Outbox::open(inputs.deliveries.as_ref(), &message);
        if message.level < config.min_level {
            outbox.skip(config);
        } else {
            let letters = compose::letters(&outbox.due(config), &message, config)?;
            if config.dry_run {
                outbox.rehearse(&letters);
            } else {
                deliver::all(&letters, &mut outbox, config, ctx)?;
            }
        }
        outbox.note(ctx);
        if let Some(error) = failure::of(&outbox) {
            ctx.fail_after_commit(error);
        }
        Ok(Outputs {
            deliveries: Table::from_rows(outbox.into_rows())?,
        })
    }
}
