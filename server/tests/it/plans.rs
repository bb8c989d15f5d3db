//! How the databases find pages of the list: by walking an index, whatever the filter and the order. Asserted by the
//! query's plan and not by time, on enough made-up rows for the planner to have a choice.

use gourmetgram::catalog::{Catalog, Whose};
use gourmetgram_api::{Confidence, DeviceComparison, FlagReason, Place, PredictionQuery, SortKey, SortOrder};
use sea_orm::Database as Connection;
use secrecy::ExposeSecret;

use crate::{on_both_databases, support::TestApp};

#[path = "../../examples/explore/filling.rs"]
pub mod filling;

const ROWS: i64 = 20_000;

fn questions() -> Vec<PredictionQuery> {
    let all = PredictionQuery { limit: Some(60), ..PredictionQuery::default() };
    let text = |text: &str| Some(text.to_owned());
    vec![
        all.clone(),
        PredictionQuery { class: text("Soup"), ..all.clone() },
        PredictionQuery { model_version: text("food64-2"), ..all.clone() },
        PredictionQuery { model_version: text("trial-3"), ..all.clone() },
        PredictionQuery { confidence_min: Confidence::new(0.3).ok(), ..all.clone() },
        PredictionQuery { from: "2025-11-24T17:00:00Z".parse().ok(), ..all.clone() },
        PredictionQuery { flagged: Some(true), ..all.clone() },
        PredictionQuery { flagged: Some(false), ..all.clone() },
        PredictionQuery { reason: Some(FlagReason::NotFood), ..all.clone() },
        PredictionQuery { corrected: Some(true), ..all.clone() },
        PredictionQuery { device: Some(DeviceComparison::Agrees), ..all.clone() },
        PredictionQuery { device: Some(DeviceComparison::Disagrees), ..all.clone() },
        PredictionQuery { device: Some(DeviceComparison::OtherVersionDisagrees), ..all.clone() },
        PredictionQuery { annotated: Some(true), ..all.clone() },
        PredictionQuery { label: text("Soup"), ..all.clone() },
        PredictionQuery { place: Some(Place::LabelWait), ..all.clone() },
        PredictionQuery { place: Some(Place::Noisy), ..all.clone() },
        PredictionQuery { place: Some(Place::Clean), ..all.clone() },
        PredictionQuery { place: Some(Place::Production), ..all },
    ]
}

/// The catalog of a running application, filled.
async fn filled(test: &TestApp) -> Catalog {
    let url = test.app.settings().catalog_url();
    let connection = Connection::connect(url.expose_secret()).await.unwrap();
    filling::fill(&connection, 0, ROWS, ROWS).await.unwrap();
    filling::analyze(&connection).await.unwrap();
    Catalog::open(&url, 0).await.unwrap()
}

/// PostgreSQL may rather sort what an index has few of; as many as on a few pages is no harm.
const FEW: u64 = 500;

/// A plan walks an index in the order of the list: it neither looks at every row nor sorts many.
fn assert_walks_an_index(plan: &str, query: &PredictionQuery) {
    let is_sqlite = !plan.contains("cost=");
    let scan = if is_sqlite { "SCAN predictions" } else { "Seq Scan" };
    // SQLite also says SCAN of a walk over an index in its order.
    let scans = plan.lines().any(|line| line.contains(scan) && !line.contains("USING"));
    let sorts = plan.contains("TEMP B-TREE") || plan.lines().any(|line| sorted_rows(line) > FEW);
    assert!(!scans && !sorts, "{query:?}\n{plan}");
}

/// How many rows PostgreSQL expects to sort, where a line of its plan says that it sorts.
fn sorted_rows(line: &str) -> u64 {
    if !line.contains("Sort  (cost=") {
        return 0;
    }
    let rows = line.split("rows=").nth(1).and_then(|rest| rest.split(' ').next());
    rows.and_then(|rows| rows.parse().ok()).unwrap_or(u64::MAX)
}

on_both_databases! {
    every_page_is_found_by_walking_an_index => async |database| {
        let test = TestApp::start(database).await;
        let catalog = filled(&test).await;
        for question in questions() {
            for sort in SortKey::ALL {
                let query = PredictionQuery { sort: Some(sort), ..question.clone() };
                let plan = catalog.explain(Whose::Everybodys, &query, false).await.unwrap();
                assert_walks_an_index(&plan, &query);
                let page = catalog.predictions(Whose::Everybodys, &query).await.unwrap();
                assert!(!page.items.is_empty(), "{query:?} finds something in the filling");
                if let Some(cursor) = page.next_cursor {
                    let query = PredictionQuery { cursor: Some(cursor), ..query };
                    let plan = catalog.explain(Whose::Everybodys, &query, false).await.unwrap();
                    assert_walks_an_index(&plan, &query);
                    // The cursor is where the walk begins, not something to compare every row with.
                    let begins = plan.contains("(created_at,id)<") || plan.contains("(confidence,id)>")
                        || plan.contains("(predicted_class,created_at,id)>") || plan.contains("Index Cond")
                        || plan.contains("created_at<") || plan.contains("confidence>") || plan.contains("created_at>")
                        || plan.contains("predicted_class>") || plan.contains("predicted_class=");
                    assert!(begins, "{query:?}\n{plan}");
                }
            }
        }
        test.stop().await;
    };

    a_versions_newest_photos_are_found_in_the_index_of_versions => async |database| {
        let test = TestApp::start(database).await;
        let catalog = filled(&test).await;
        let erased = |number: i64| number % 97 == 0;
        let (old, trial) = (ROWS * 6 / 10, ROWS - 100);
        for (version, numbers) in [("food64-1", 0..old), ("food64-2", old..trial)] {
            for order in [SortOrder::Descending, SortOrder::Ascending] {
                let mut expected: Vec<String> =
                    numbers.clone().filter(|number| !erased(*number)).map(|it| format!("class_00/{it}.jpg")).collect();
                if order == SortOrder::Descending {
                    expected.reverse();
                }
                let mut query = PredictionQuery {
                    model_version: Some(version.to_owned()),
                    sort: Some(SortKey::Time),
                    order: Some(order),
                    limit: Some(150),
                    ..PredictionQuery::default()
                };
                let mut found = Vec::new();
                for _ in 0..3 {
                    let plan = catalog.explain(Whose::Everybodys, &query, false).await.unwrap();
                    assert!(plan.contains("version_by_time") && !plan.contains("Sort"), "{query:?}\n{plan}");
                    let page = catalog.predictions(Whose::Everybodys, &query).await.unwrap();
                    found.extend(page.items.into_iter().map(|item| item.key));
                    query.cursor = page.next_cursor;
                }
                assert_eq!(found, expected[..450], "{version}, {order:?}");
                // Between two times.
                let times = PredictionQuery {
                    from: chrono::DateTime::from_timestamp_millis(1_764_000_000_001 + 11_000 * 10_000),
                    to: chrono::DateTime::from_timestamp_millis(1_764_000_000_001 + 13_000 * 10_000),
                    limit: Some(200),
                    cursor: None,
                    ..query
                };
                let page = catalog.predictions(Whose::Everybodys, &times).await.unwrap();
                let within = |key: &&String| {
                    let number: i64 = key[9..key.len() - 4].parse().unwrap();
                    (11_000..13_000).contains(&number)
                };
                let expected: Vec<&String> = expected.iter().filter(within).take(200).collect();
                assert_eq!(page.items.iter().map(|item| &item.key).collect::<Vec<_>>(), expected);
            }
        }
        test.stop().await;
    };

    counting_stops_at_a_thousand => async |database| {
        let test = TestApp::start(database).await;
        let catalog = filled(&test).await;
        let count = async |query: PredictionQuery| {
            let query = PredictionQuery { count: Some(true), limit: Some(1), ..query };
            catalog.predictions(Whose::Everybodys, &query).await.unwrap().total.unwrap()
        };
        let all = count(PredictionQuery::default()).await;
        assert!(all.or_more && all.counted == 1000);
        let plan = catalog.explain(Whose::Everybodys, &PredictionQuery::default(), true).await.unwrap();
        assert_walks_an_index(&plan, &PredictionQuery::default());
        // 20,000 rows, of which one of 200 is noisy, and of these one of 97 erased.
        let noisy = count(PredictionQuery { place: Some(Place::Noisy), ..PredictionQuery::default() }).await;
        let erased = (0..ROWS).filter(|number| number % 200 == 0 && number % 97 == 0).count();
        assert_eq!((noisy.counted as usize, noisy.or_more), (100 - erased, false));
        test.stop().await;
    };

    what_filters_offer_is_found_without_looking_at_every_row => async |database| {
        let test = TestApp::start(database).await;
        let catalog = filled(&test).await;
        let facets = catalog.facets().await.unwrap();
        assert_eq!(facets.classes.len(), 11);
        assert_eq!(facets.model_versions, ["food64-1", "food64-2", "trial-3"]);
        assert_eq!(facets.annotators.len(), 5);
        test.stop().await;
    };
}
