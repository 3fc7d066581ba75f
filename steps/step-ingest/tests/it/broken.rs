//! Files that cannot be right: each refusal says what, where and what to do, and stores nothing.

use mixline_schema::catalog::{Identities, MappingReport, MediaDaily, RawGoogleAds, Touchpoints};

use crate::support::Project;

const GOOGLE: &str = "name = \"google\"\nkind = \"google_ads\"\nfiles = [\"*.csv\"]\n";

fn google(text: &str) -> Project {
    google_with(GOOGLE, text)
}

fn google_with(source: &str, text: &str) -> Project {
    let project = Project::new(&[("google", source)]);
    project.write("data/raw/google.csv", text);
    project
}

fn says(said: &str, expected: &[&str]) {
    for expected in expected {
        assert!(said.contains(expected), "`{expected}` is not in:\n{said}");
    }
}

const HEAD: &str = "Day,Campaign,Currency code,Cost,Clicks\n";

#[test]
fn a_wrong_cell_is_named_by_file_row_and_column() {
    let text = format!(
        "Campaigns\n{HEAD}2026-09-01,A,EUR,1.50,3\n2026-09-02,A,EUR,12x,3\n2026-09-03,A,EUR,1.5,3.5\n"
    );
    let said = google(&text).refused(65);
    says(
        &said,
        &[
            "google.csv, row 4, column \"Cost\": \"12x\" is not a number",
            "google.csv, row 5, column \"Clicks\": \"3.5\" is not a whole number",
            "2 problems; nothing was stored",
            "hint:",
        ],
    );
}

#[test]
fn blank_lines_count_as_the_spreadsheet_shows_them() {
    for end in ["\n", "\r\n"] {
        let text =
            format!("Campaigns\n\n{HEAD}\n2026-09-01,A,EUR,1.50,3\n\n\n2026-09-02,A,EUR,12x,3\n");
        let said = google(&text.replace('\n', end)).refused(65);
        says(
            &said,
            &["google.csv, row 8, column \"Cost\": \"12x\" is not a number"],
        );
    }
}

#[test]
fn a_row_with_too_few_cells_and_an_empty_cost_are_named() {
    let said = google(&format!("{HEAD}2026-09-01,A,EUR\n2026-09-02,A,EUR,,3\n")).refused(65);
    says(
        &said,
        &[
            "row 2: has 3 cells, but there are 5 headings",
            "row 3, column \"Cost\": is empty",
        ],
    );
}

#[test]
fn a_missing_column_is_named_with_the_headings_it_could_have() {
    let said = google("Day,Campaign,Clicks\n2026-09-01,A,3\n").refused(65);
    says(
        &said,
        &[
            "cost (\"Cost\" or \"Kosten\") missing",
            "Day, Campaign, Clicks",
        ],
    );
}

#[test]
fn days_that_could_be_read_in_two_ways_are_not_guessed() {
    let text = format!("{HEAD}03/04/2026,A,EUR,1.50,3\n05/04/2026,A,EUR,1.50,3\n");
    let said = google(&text).refused(65);
    says(
        &said,
        &[
            "column \"Day\"",
            "day and month could be swapped",
            "date_format",
        ],
    );
    let source = format!("{GOOGLE}date_format = \"%d/%m/%Y\"\n");
    let rows = google_with(&source, &text)
        .ingested()
        .rows::<RawGoogleAds>();
    assert_eq!(rows[0].date.to_string(), "2026-04-03");
}

#[test]
fn one_day_far_below_shows_how_all_are_written() {
    let mut text = HEAD.to_owned();
    for row in 0..1000 {
        text += &format!("03/04/2026,C{row},EUR,1.50,3\n");
    }
    text += "03/14/2026,A,EUR,1.50,3\n";
    let rows = google(&text).ingested().rows::<RawGoogleAds>();
    assert_eq!(rows[0].date.to_string(), "2026-03-04");
}

#[test]
fn numbers_that_could_be_read_in_two_ways_are_not_guessed() {
    let text = "Day;Campaign;Currency code;Cost\n2026-09-01;A;EUR;1.204\n2026-09-02;A;EUR;2.381\n";
    let said = google(text).refused(65);
    says(
        &said,
        &[
            "column \"Cost\"",
            "\"1.204\" can be read in two ways",
            "decimal = \"point\"",
        ],
    );
    let source = format!("{GOOGLE}decimal = \"comma\"\n");
    let rows = google_with(&source, text).ingested().rows::<RawGoogleAds>();
    assert_eq!(rows[0].cost, 1204.0);
}

#[test]
fn a_german_export_reads_without_a_word() {
    let text = "Tag;Kampagne;Währungscode;Kosten;Klicks\n01.09.2026;Größe;EUR;1.204,50;1.044\n";
    let rows = google(text).ingested().rows::<RawGoogleAds>();
    assert_eq!(
        (rows[0].campaign.as_str(), rows[0].cost, rows[0].clicks),
        ("Größe", 1204.5, Some(1044))
    );
}

#[test]
fn rows_with_the_same_key_are_named_in_pairs_or_added_up_on_request() {
    let text =
        format!("{HEAD}2026-09-01,A,EUR,1.50,3\n2026-09-02,A,EUR,1.50,3\n2026-09-01,A,EUR,2.00,\n");
    let said = google(&text).refused(65);
    says(
        &said,
        &[
            "google.csv, row 4: has the same date, campaign as row 2",
            "same_key = \"sum\"",
        ],
    );
    let source = format!("{GOOGLE}same_key = \"sum\"\n");
    let rows = google_with(&source, &text)
        .ingested()
        .rows::<RawGoogleAds>();
    assert_eq!(
        (rows.len(), rows[0].cost, rows[0].clicks),
        (2, 3.5, Some(3))
    );
}

#[test]
fn money_without_a_currency_is_refused() {
    let said = google("Day,Campaign,Cost\n2026-09-01,A,1.50\n").refused(65);
    says(
        &said,
        &["names the currency", "currency = \"EUR\"", "google.toml"],
    );
}

#[test]
fn a_blank_currency_among_others_is_refused() {
    let file = "Day,Campaign,Currency code,Cost (EUR)\n2026-09-01,A,USD,1.50\n2026-09-02,A,,2.50\n";
    let said = google(file).refused(65);
    says(
        &said,
        &["1 rows have no currency", "others are in USD", "says EUR"],
    );
    let same = file.replace("USD", "EUR");
    let project = google(&same);
    assert_eq!(project.ingested().rows::<RawGoogleAds>().len(), 2);
}

#[test]
fn an_unknown_key_and_a_folder_without_sources_are_configuration_errors() {
    let project = google_with(&format!("{GOOGLE}chanel = \"google\"\n"), HEAD);
    says(&project.refused(78), &["google.toml", "chanel", "line 4"]);
    let project = Project::new(&[("a", GOOGLE)]);
    project.remove("sources/a.toml");
    says(&project.refused(78), &["no source file", "mixline init"]);
}

#[test]
fn no_file_at_all_says_where_to_put_some() {
    let project = Project::new(&[("a", GOOGLE)]);
    says(
        &project.refused(65),
        &["nothing to ingest", "data/raw holds no files"],
    );
    project.write("data/raw/other.xlsx", "x");
    says(
        &project.refused(65),
        &["no source in sources matches any of other.xlsx"],
    );
}

const TOUCHES: &str = "name = \"web\"\nkind = \"touchpoints\"\nfiles = [\"*.csv\"]\n";

#[test]
fn people_need_a_key_and_their_addresses_never_get_into_a_message() {
    let project = Project::new(&[("web", TOUCHES)]);
    project.write(
        "data/raw/web.csv",
        "event_timestamp,user_email\n2026,ann@example.com\n",
    );
    let said = project.refused(65);
    says(
        &said,
        &[
            "web.csv, row 2, column \"event_timestamp\"",
            "is no instant",
        ],
    );
    assert!(!said.contains("example.com"), "{said}");
    project.write(
        "data/raw/web.csv",
        "user_email,event_timestamp\n1,ann@example.com\n",
    );
    assert!(!project.refused(65).contains("example.com"));
    project.remove(".mixline/hash.key");
    says(&project.refused(78), &["hash.key", "mixline init"]);
}

#[test]
fn a_row_with_both_ids_says_who_the_anonymous_visitor_is() {
    let project = Project::new(&[("web", TOUCHES)]);
    let rows = "event_timestamp,user_email,user_pseudo_id,channel\n\
        1788292692000000,,cookie-1,meta\n\
        1788292693000000,ann@x.org,cookie-1,google\n\
        1788292694000000,bob@x.org,cookie-1,email\n\
        1788292695000000,,cookie-2,meta\n\
        1788292696000000,,,meta\n";
    project.write("data/raw/web.csv", rows);
    let touches = project.ingested().rows::<Touchpoints>();
    assert_eq!(touches.len(), 4);
    let identities = project.rows::<Identities>();
    let of = |channel: &str| {
        let mut rows = touches.iter().filter(|touch| touch.channel == channel);
        rows.next().map(|touch| touch.customer_key.clone())
    };
    assert_eq!(identities.len(), 1);
    assert_eq!(Some(&identities[0].customer_key), of("google").as_ref());
    assert!(
        touches
            .iter()
            .any(|touch| touch.customer_key == identities[0].anonymous_key)
    );
    let report = project.rows::<MappingReport>();
    let left = report
        .iter()
        .find(|row| row.note.contains("several customers claim"));
    assert!(left.is_some_and(|row| row.note.contains("1 rows name nobody")));
}

#[test]
fn touches_get_their_channel_from_the_tags_and_other_events_are_counted() {
    let project = Project::new(&[("web", TOUCHES)]);
    let rows = "event_timestamp,event_name,user_email,source,medium,campaign\n\
        1788292692000000,click,a@x.org,google,cpc,Brand\n\
        1788292692000000,click,A@X.org,google,cpc,Brand\n\
        1788292693000000,scroll,a@x.org,google,cpc,Brand\n\
        1788292694000000,view,b@x.org,facebook,paid_social,(not set)\n\
        1788292695000000,click,,google,cpc,Brand\n";
    project.write("data/raw/web.csv", rows);
    let touches = project.ingested().rows::<Touchpoints>();
    let mut seen: Vec<(&str, &str, &str)> = touches
        .iter()
        .map(|touch| {
            (
                touch.channel.as_str(),
                touch.campaign.as_str(),
                touch.kind.as_str(),
            )
        })
        .collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [("google", "Brand", "click"), ("meta", "all", "view")]
    );
}

#[test]
fn a_file_delivered_again_changes_only_the_rows_that_changed() {
    let project = google(&format!(
        "{HEAD}2026-09-01,A,EUR,1.50,3\n2026-09-02,A,EUR,2.00,4\n"
    ));
    let first = project.ingested().digest("media_daily");
    project.write(
        "data/raw/notes.csv",
        &format!("{HEAD}2026-09-01,A,EUR,1.50,3\n"),
    );
    assert_eq!(
        project.ingested().digest("media_daily"),
        first,
        "the same rows, another file"
    );
    project.write(
        "data/raw/z_restated.csv",
        &format!("{HEAD}2026-09-02,A,EUR,2.25,4\n"),
    );
    let rows = project.ingested().rows::<MediaDaily>();
    let spend: Vec<Option<f64>> = rows.iter().map(|row| row.spend).collect();
    assert_eq!(
        spend,
        [Some(1.5), Some(2.25)],
        "the later file restates the day"
    );
}

#[test]
fn two_sources_that_want_one_file_or_have_one_key_would_count_twice() {
    let other = GOOGLE.replace("\"google\"", "\"other\"");
    let project = Project::new(&[("google", GOOGLE), ("other", &other)]);
    project.write(
        "data/raw/google.csv",
        &format!("{HEAD}2026-09-01,A,EUR,1.50,3\n"),
    );
    says(
        &project.refused(65),
        &["google.csv is matched by", "google.toml", "other.toml"],
    );
}
