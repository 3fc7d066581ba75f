//! A world as the files that platforms export, with the oddities they really have: totals rows,
//! preamble lines, footers, thousands separators, line items.
//!
//! [`files`] is pure; [`write()`] puts each file in place whole, so that a reader never sees half.

mod google;
mod meta;
mod shopify;
mod tiktok;
mod touchpoints;
mod wide;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::world::World;

/// The files, as (name, bytes).
///
/// Channels called `meta`, `google` and `tiktok` have their platform's export; all others are in
/// the wide file. Regions are ad sets and ad groups there, as these exports have no region.
#[must_use]
pub fn files(world: &World) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("meta_ads.csv", meta::file(world)),
        ("google_ads.csv", google::file(world)),
        ("tiktok_ads.csv", tiktok::file(world)),
        ("shopify_orders.csv", shopify::file(world)),
        ("touchpoints.csv", touchpoints::file(world)),
        ("tv_and_controls.csv", wide::file(world)),
    ]
}

/// Writes the files below `dir`, which is made if need be, and returns their paths.
///
/// # Errors
/// When the folder or a file cannot be written; files already in place stay.
pub fn write(world: &World, dir: &Path) -> io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(dir)?;
    let mut paths = Vec::new();
    for (name, bytes) in files(world) {
        let path = dir.join(name);
        replace(&path, &bytes)?;
        paths.push(path);
    }
    Ok(paths)
}

/// Writes beside the target and renames: the old file or the new one, never a part.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".")
        .suffix(".tmp")
        .tempfile_in(dir)?;
    file.write_all(bytes)?;
    readable_by_all(file.as_file())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Temporary files are private; exports are not.
#[cfg(unix)]
fn readable_by_all(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_: &std::fs::File) -> io::Result<()> {
    Ok(())
}

/// A CSV document in memory, rows of any length.
pub(crate) struct Sheet(csv::Writer<Vec<u8>>);

impl Sheet {
    pub(crate) fn new() -> Self {
        Self(
            csv::WriterBuilder::new()
                .flexible(true)
                .from_writer(Vec::new()),
        )
    }

    pub(crate) fn row<I, T>(&mut self, fields: I)
    where
        I: IntoIterator<Item = T>,
        T: AsRef<[u8]>,
    {
        self.0
            .write_record(fields)
            .expect("writing to memory cannot fail");
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0.into_inner().expect("flushing to memory cannot fail")
    }
}

/// The index of a channel by name.
pub(crate) fn channel(world: &World, name: &str) -> Option<usize> {
    world
        .spec
        .channels
        .iter()
        .position(|channel| channel.name == name)
}

/// `numerator / denominator` with two decimals; `otherwise` when there is nothing to divide by.
pub(crate) fn ratio(numerator: f64, denominator: f64, otherwise: &str) -> String {
    if denominator > 0.0 {
        money(numerator / denominator)
    } else {
        otherwise.to_owned()
    }
}

/// Two decimals.
pub(crate) fn money(value: f64) -> String {
    format!("{value:.2}")
}

/// Delivery summed over rows, for totals.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Sum {
    pub(crate) spend: f64,
    pub(crate) impressions: u64,
    pub(crate) clicks: u64,
    pub(crate) purchases: u64,
    pub(crate) purchase_value: f64,
}

impl Sum {
    pub(crate) fn add(&mut self, row: &crate::MediaRow) {
        self.spend += row.spend;
        self.impressions += u64::from(row.impressions);
        self.clicks += u64::from(row.clicks);
        self.purchases += u64::from(row.purchases);
        self.purchase_value += row.purchase_value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::WorldSpec;

    fn world() -> World {
        World::generate(&WorldSpec {
            days: 45,
            ..WorldSpec::default()
        })
    }

    fn text(name: &str) -> String {
        let files = files(&world());
        let (_, bytes) = files.into_iter().find(|(file, _)| *file == name).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn records(text: &str) -> Vec<csv::StringRecord> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        reader.records().map(Result::unwrap).collect()
    }

    #[test]
    fn every_row_of_a_sheet_is_as_wide_as_its_header() {
        for (name, header) in [
            ("meta_ads.csv", 0),
            ("google_ads.csv", 2),
            ("tiktok_ads.csv", 0),
            ("shopify_orders.csv", 0),
            ("touchpoints.csv", 0),
            ("tv_and_controls.csv", 0),
        ] {
            let records = records(&text(name));
            let width = records[header].len();
            assert!(records[header..].iter().all(|r| r.len() == width), "{name}");
            assert!(records.len() > 40, "{name}");
        }
    }

    #[test]
    fn totals_equal_the_spend_of_the_channel() {
        let world = world();
        let spend = |name: &str| -> f64 {
            let index = channel(&world, name).unwrap();
            (0..45).map(|day| world.spend(day, index)).sum()
        };
        let meta = records(&text("meta_ads.csv"));
        let column = meta[0]
            .iter()
            .position(|h| h == "Amount spent (EUR)")
            .unwrap();
        assert_eq!(&meta[1][2], "", "the first row is the summary");
        assert_eq!(meta[1][column], money(spend("meta")));
        let google = records(&text("google_ads.csv"));
        let column = google[2].iter().position(|h| h == "Cost").unwrap();
        let last = google.last().unwrap();
        assert_eq!(&last[0], "Total: Account");
        assert_eq!(last[column].replace(',', ""), money(spend("google")));
        let tiktok = records(&text("tiktok_ads.csv"));
        let footer = tiktok.last().unwrap();
        assert_eq!(&footer[0], format!("Total of {} results", tiktok.len() - 2));
        assert_eq!(footer[5], money(spend("tiktok")));
    }

    #[test]
    fn orders_appear_once_each_with_their_lines() {
        let world = world();
        let records = records(&text("shopify_orders.csv"));
        assert_eq!(records[0].len(), 79);
        let lines: usize = world.orders.iter().map(|order| order.items.len()).sum();
        assert_eq!(records.len() - 1, lines);
        let heads = records.iter().skip(1).filter(|r| !r[11].is_empty()).count();
        assert_eq!(heads, world.orders.len());
        assert!(records[1][15].ends_with(" +0100"), "{}", &records[1][15]);
    }

    #[test]
    fn files_are_written_whole_and_again_without_leftovers() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("data/raw");
        let paths = write(&world(), &out).unwrap();
        write(&world(), &out).unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&out)
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        names.sort();
        let mut paths = paths;
        paths.sort();
        assert_eq!(names, paths);
    }
}
