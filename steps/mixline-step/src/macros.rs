//! `inputs!` and `outputs!`: a struct whose fields are ports.
//!
//! Both macros walk over their fields one at a time, so that `Option<A>` can be told from `A`
//! and `as "name"` may follow either.

/// Declares the inputs of a step.
///
/// A field `media: MediaDaily` becomes `pub media: Table<MediaDaily>` and a port `media` that
/// reads the artifact `media_daily`. `Option<MediaDaily>` may have no version yet. `Batches<A>` is a
/// table that is read piece by piece. A port may rename its artifact:
/// `report: File as "weekly_report"`.
///
/// ```
/// use mixline_schema::catalog::{File, MediaDaily, Touchpoints};
/// mixline_step::inputs! {
///     /// What the step reads.
///     pub struct Inputs {
///         /// Spend by day and channel.
///         media: MediaDaily,
///         /// Journeys, when they are known.
///         touchpoints: Option<Touchpoints>,
///         /// Last week's report.
///         report: Option<File> as "weekly_report",
///     }
/// }
/// use mixline_step::InputPorts;
/// let names: Vec<_> = Inputs::ports().into_iter().map(|p| p.port.artifact).collect();
/// assert_eq!(names, ["media_daily", "touchpoints", "weekly_report"]);
/// ```
#[macro_export]
macro_rules! inputs {
    ($(#[doc = $doc:literal])+ pub struct $name:ident { $($fields:tt)* }) => {
        $crate::__inputs! { { $(#[doc = $doc])+ } $name {} $($fields)* }
    };
}

/// The walk behind [`inputs!`](crate::inputs!).
#[doc(hidden)]
#[macro_export]
macro_rules! __inputs {
    (
        { $($head:tt)* } $name:ident
        { $( { { $($doc:literal)+ } $field:ident $ty:ty , $rename:expr } )* }
    ) => {
        $($head)*
        #[derive(Debug)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $field: $ty, )*
        }

        impl $crate::InputPorts for $name {
            fn ports() -> ::std::vec::Vec<$crate::PortSpec> {
                ::std::vec![$(
                    $crate::PortSpec::input::<$ty>(
                        stringify!($field), $rename, concat!($($doc, "\n"),+),
                    )
                ),*]
            }
            fn from_frames(
                frames: &mut ::std::collections::BTreeMap<
                    ::std::string::String,
                    $crate::__private::Given,
                >,
            ) -> ::std::result::Result<Self, $crate::StepError> {
                let _ = &frames;
                ::std::result::Result::Ok(Self {
                    $( $field: <$ty as $crate::InputField>::take(
                        stringify!($field),
                        frames.remove(stringify!($field)),
                    )?, )*
                })
            }
        }
    };
    (
        $head:tt $name:ident { $($done:tt)* }
        $(#[doc = $doc:literal])+ $field:ident : Option<Batches<$artifact:ty>>
        $(as $rename:literal)? $(, $($rest:tt)*)?
    ) => {
        $crate::__inputs! {
            $head $name
            { $($done)* { { $($doc)+ } $field Option<$crate::Batches<$artifact>>,
                $crate::__rename!($($rename)?) } }
            $($($rest)*)?
        }
    };
    (
        $head:tt $name:ident { $($done:tt)* }
        $(#[doc = $doc:literal])+ $field:ident : Batches<$artifact:ty> $(as $rename:literal)?
        $(, $($rest:tt)*)?
    ) => {
        $crate::__inputs! {
            $head $name
            { $($done)* { { $($doc)+ } $field $crate::Batches<$artifact>,
                $crate::__rename!($($rename)?) } }
            $($($rest)*)?
        }
    };
    (
        $head:tt $name:ident { $($done:tt)* }
        $(#[doc = $doc:literal])+ $field:ident : Option<$artifact:ty> $(as $rename:literal)?
        $(, $($rest:tt)*)?
    ) => {
        $crate::__inputs! {
            $head $name
            { $($done)* { { $($doc)+ } $field Option<$crate::Table<$artifact>>,
                $crate::__rename!($($rename)?) } }
            $($($rest)*)?
        }
    };
    (
        $head:tt $name:ident { $($done:tt)* }
        $(#[doc = $doc:literal])+ $field:ident : $artifact:ty as $rename:literal
        $(, $($rest:tt)*)?
    ) => {
        $crate::__inputs! {
            $head $name
            { $($done)* { { $($doc)+ } $field $crate::Table<$artifact>,
                $crate::__rename!($rename) } }
            $($($rest)*)?
        }
    };
    (
        $head:tt $name:ident { $($done:tt)* }
        $(#[doc = $doc:literal])+ $field:ident : $artifact:ty
        $(, $($rest:tt)*)?
    ) => {
        $crate::__inputs! {
            $head $name
            { $($done)* { { $($doc)+ } $field $crate::Table<$artifact>, $crate::__rename!() } }
            $($($rest)*)?
        }
    };
}

/// Declares the outputs of a step.
///
/// As [`inputs!`](crate::inputs!), with a write mode per field: `=> Replace`, `=> Append` or
/// `=> Upsert`. An optional output may stay unwritten. `Pieces<A>` is a table that is made and
/// written piece by piece.
///
/// ```
/// use mixline_schema::catalog::{File, RawMetaAds, UnifiedDailyMetrics};
/// mixline_step::outputs! {
///     /// What the step writes.
///     pub struct Outputs {
///         /// Metrics by day and channel.
///         metrics: UnifiedDailyMetrics => Upsert,
///         /// Rows of the export.
///         raw: Option<RawMetaAds> => Append,
///         /// The report.
///         report: File as "weekly_report" => Replace,
///     }
/// }
/// use mixline_step::OutputPorts;
/// assert_eq!(Outputs::ports()[2].port.artifact, "weekly_report");
/// assert!(Outputs::ports()[1].port.optional);
/// ```
#[macro_export]
macro_rules! outputs {
    ($(#[doc = $doc:literal])+ pub struct $name:ident { $($fields:tt)* }) => {
        $crate::__outputs! { { $(#[doc = $doc])+ } $name {} $($fields)* }
    };
}

/// The walk behind [`outputs!`](crate::outputs!).
#[doc(hidden)]
#[macro_export]
macro_rules! __outputs {
    (
        { $($head:tt)* } $name:ident
        { $( { { $($doc:literal)+ } $field:ident $ty:ty , $rename:expr , $mode:ident } )* }
    ) => {
        $($head)*
        #[derive(Debug)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $field: $ty, )*
        }

        impl $crate::OutputPorts for $name {
            fn ports() -> ::std::vec::Vec<$crate::PortSpec> {
                ::std::vec![$(
                    $crate::PortSpec::output::<$ty>(
                        stringify!($field),
                        $rename,
                        $crate::__private::WriteMode::$mode,
                        concat!($($doc, "\n"),+),
                    )
                ),*]
            }
            fn into_tables(
                self,
            ) -> ::std::vec::Vec<(&'static str, $crate::__private::Rows)> {
                [$( (stringify!($field), $crate::OutputField::give(self.$field)) ),*]
                    .into_iter()
                    .filter_map(|(port, rows)| rows.map(|rows| (port, rows)))
                    .collect()
            }
        }
    };
    (
        $head:tt $name:ident { $($done:tt)* }
        $(#[doc = $doc:literal])+ $field:ident : Option<$artifact:ty> $(as $rename:literal)?
        => $mode:ident $(, $($rest:tt)*)?
    ) => {
        $crate::__outputs! {
            $head $name
            { $($done)* { { $($doc)+ } $field Option<$crate::Table<$artifact>>,
                $crate::__rename!($($rename)?), $mode } }
            $($($rest)*)?
        }
    };
    (
        $head:tt $name:ident { $($done:tt)* }
        $(#[doc = $doc:literal])+ $field:ident : Pieces<$artifact:ty> $(as $rename:literal)?
        => $mode:ident $(, $($rest:tt)*)?
    ) => {
        $crate::__outputs! {
            $head $name
            { $($done)* { { $($doc)+ } $field $crate::Pieces<$artifact>,
                $crate::__rename!($($rename)?), $mode } }
            $($($rest)*)?
        }
    };
    (
        $head:tt $name:ident { $($done:tt)* }
        $(#[doc = $doc:literal])+ $field:ident : $artifact:ty as $rename:literal
        => $mode:ident $(, $($rest:tt)*)?
    ) => {
        $crate::__outputs! {
            $head $name
            { $($done)* { { $($doc)+ } $field $crate::Table<$artifact>,
                $crate::__rename!($rename), $mode } }
            $($($rest)*)?
        }
    };
    (
        $head:tt $name:ident { $($done:tt)* }
        $(#[doc = $doc:literal])+ $field:ident : $artifact:ty
        => $mode:ident $(, $($rest:tt)*)?
    ) => {
        $crate::__outputs! {
            $head $name
            { $($done)* { { $($doc)+ } $field $crate::Table<$artifact>,
                $crate::__rename!(), $mode } }
            $($($rest)*)?
        }
    };
}

/// `Some(name)` when a port renames its artifact.
#[doc(hidden)]
#[macro_export]
macro_rules! __rename {
    () => {
        ::std::option::Option::None
    };
    ($name:literal) => {
        ::std::option::Option::Some($name)
    };
}
