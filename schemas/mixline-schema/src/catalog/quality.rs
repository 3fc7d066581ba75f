//! Tables about the data itself, and file artifacts.

use chrono::NaiveDate;

crate::artifact! {
    /// How each source column was read: the mapping report of `step-ingest`.
    pub struct MappingReport: "mapping_report" v1 key [source, file, column] {
        /// Source name (the source file's `name`).
        source: String,
        /// File read, relative to the project.
        file: String,
        /// Column heading in the file; `(file)` for facts about the whole file.
        column: String,
        /// Field it was mapped to; null when it was left out.
        field: Option<String>,
        /// How it was decided: `declared`, `detected`, `ignored`, `missing`.
        decision: String,
        /// What was detected: encoding, delimiter, decimal mark, date format, rows, rows left out.
        note: String,
    }
}

crate::artifact! {
    /// What the data checks found.
    pub struct DataFindings: "data_findings" v1 key [code, artifact, subject, at] {
        /// Check, for example `spend.spike`.
        code: String,
        /// `error`, `warning` or `suggestion`.
        severity: String,
        /// Artifact checked.
        artifact: String,
        /// What inside it: a channel, column or metric.
        subject: String,
        /// Where: a day, key or range; empty for the whole subject.
        at: String,
        /// What was found, in a sentence.
        message: String,
        /// What to do about it.
        advice: String,
        /// Measured value, where there is one.
        value: Option<f64>,
        /// Limit it was compared with.
        threshold: Option<f64>,
    }
}

crate::artifact! {
    /// The truth behind a synthetic world: what each channel really brought in.
    pub struct TruthDaily: "truth_daily" v1 key [date, channel] {
        /// Day.
        date: NaiveDate,
        /// Channel name; `baseline` for revenue without media.
        channel: String,
        /// Money spent.
        spend: f64 = unit "currency", range NON_NEGATIVE;
        /// Expected revenue caused by the channel on this day.
        contribution: f64 = unit "currency";
    }
}

crate::artifact! {
    /// A file in the store: a report, a model, a document. The table has one row.
    pub struct File: "file" v1 key [] {
        /// File name with extension.
        name: String,
        /// IANA media type.
        media_type: String,
        /// The bytes.
        bytes: Vec<u8>,
    }
}
