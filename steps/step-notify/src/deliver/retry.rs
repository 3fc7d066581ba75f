//! Trying again: after temporary failures, with growing pauses, and no longer than is useful.

use std::time::Duration;

use mixline_step::Context;

use crate::compose::Letter;
use crate::config::Config;
use crate::deliver::access::Access;
use crate::deliver::attempt::Attempt;
use crate::deliver::stopped;
use crate::failure::Failure;
use crate::outbox::Outcome;

/// A receiver that asks for a longer wait than this is left to the next run.
const LONGEST_WISH: Duration = Duration::from_secs(60);

/// Sends one letter, again if need be.
pub(crate) async fn patiently(
    letter: &Letter<'_>,
    access: &Access,
    config: &Config,
    ctx: &Context,
) -> Outcome {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let ended = tokio::select! {
            ended = access.attempt(letter, config.timeout()) => ended,
            () = stopped(ctx) => return interrupted(attempts),
        };
        let (to, host, detail) = (letter.name, access.host(), ended.detail());
        match next(&ended, attempts, config) {
            Next::Done(failure) => {
                match failure {
                    None => tracing::info!(to, host, attempts, detail, "sent"),
                    Some(_) => tracing::warn!(to, host, attempts, detail, "not sent"),
                }
                let detail = remark(&ended, access);
                return Outcome {
                    attempts,
                    detail,
                    failure,
                };
            }
            Next::Wait(pause) => {
                let milliseconds = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(to, host, attempts, detail, milliseconds, "trying again");
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = stopped(ctx) => return interrupted(attempts),
                }
            }
        }
    }
}

/// What follows a try.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Done(Option<Failure>),
    Wait(Duration),
}

fn next(ended: &Attempt, attempts: u32, config: &Config) -> Next {
    match ended {
        Attempt::Delivered(_) => Next::Done(None),
        Attempt::Never(_, failure) => Next::Done(Some(*failure)),
        Attempt::Again(_, wish) => {
            let pause = wish.unwrap_or_default().max(config.delay(attempts));
            if attempts >= config.attempts || wish.is_some_and(|wish| wish > LONGEST_WISH) {
                return Next::Done(Some(Failure::Temporary));
            }
            Next::Wait(pause)
        }
    }
}

/// The detail as it is kept: with the host where something failed.
fn remark(ended: &Attempt, access: &Access) -> String {
    let (detail, host) = (ended.detail(), access.host());
    match ended {
        Attempt::Delivered(_) => detail.to_owned(),
        Attempt::Again(_, Some(wish)) if *wish > LONGEST_WISH => {
            format!("{host}: {detail}, asks to wait {} s", wish.as_secs())
        }
        _ => format!("{host}: {detail}"),
    }
}

/// The process was asked to stop: nothing of this is committed.
fn interrupted(attempts: u32) -> Outcome {
    Outcome {
        attempts,
        detail: "stopped by a signal".to_owned(),
        failure: Some(Failure::Temporary),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let config = Config::default();
        let pauses: Vec<u128> = (1..=8).map(|n| config.delay(n).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(config.delay(u32::MAX), Duration::from_secs(30));
    }

    #[test]
    fn a_wish_is_granted_up_to_a_minute() {
        let config = Config::default();
        let again = |seconds| Attempt::Again("503".into(), Some(Duration::from_secs(seconds)));
        assert_eq!(
            next(&again(0), 1, &config),
            Next::Wait(Duration::from_millis(500))
        );
        assert_eq!(
            next(&again(60), 1, &config),
            Next::Wait(Duration::from_secs(60))
        );
        let given_up = Next::Done(Some(Failure::Temporary));
        assert_eq!(next(&again(61), 1, &config), given_up);
        assert_eq!(next(&again(1), 4, &config), given_up);
    }
}
