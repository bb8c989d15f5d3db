//! Which photos a campaign considers, and what it freezes about them.

use std::collections::HashSet;

use gourmetgram::catalog::{
    Actor, Catalog, CatalogError, Change,
    entity::{batch, selection},
};
use gourmetgram_api::{
    CampaignName, CampaignRule, FlagReason, LowConfidence, NewCampaign, PhotoStratum, PredictionId, RandomDraw,
    Selected, Uncertainty,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::{
    copies::at_most,
    on_both_databases,
    photos::{asked, campaign, interval, minute, photos, received, tasks},
    plans::filling,
    support::{Database, TestApp},
};

fn continuous() -> CampaignRule {
    CampaignRule::Continuous {
        unsure: LowConfidence::default(),
        low_confidence_at_most: Some(3),
        flagged_at_most: None,
        corrected_at_most: None,
        random: RandomDraw::PerInterval(10),
    }
}

/// An application without S3, so that nothing but selecting changes its catalog.
async fn start(database: Database) -> TestApp {
    TestApp::start_with(database, |settings| {
        settings.s3.endpoint = Some("http://127.0.0.1:1".to_owned());
        settings.s3.access_key_id = Some("key".to_owned());
        settings.s3.secret_access_key = Some("secret".to_owned().into());
    })
    .await
}

async fn selections(test: &TestApp, campaign: Uuid) -> Vec<selection::Model> {
    let connection = test.connect().await;
    let rows = selection::Entity::find().filter(selection::Column::CampaignId.eq(campaign)).all(&connection).await;
    connection.close().await.unwrap();
    rows.unwrap()
}

async fn chosen(test: &TestApp, campaign: Uuid) -> HashSet<Uuid> {
    let rows = selections(test, campaign).await;
    rows.into_iter().filter(|row| row.chosen).map(|row| row.prediction_id).collect()
}

on_both_databases! {
    a_photo_is_considered_once_however_intervals_overlap_and_photos_come_late => async |database| {
        let test = start(database).await;
        let catalog = test.app.catalog();
        let first = photos(&test.app, 5, 0..20).await;
        let campaign = campaign(&test.app, &asked("All", CampaignRule::Everything)).await;
        let select = async |from, to| catalog.select(campaign.id, interval(from, to), false).await.unwrap();

        let selected = select(0, 30).await;
        assert_eq!((selected.considered, selected.chosen, selected.confident), (20, 20, 0));
        assert!(selected.batch.is_some());
        let again = select(0, 30).await;
        assert_eq!((again.considered, again.chosen, again.batch), (0, 0, None));
        // Others come later; one of them is of the time that was looked at already.
        photos(&test.app, 40, 20..30).await;
        photos(&test.app, 29, 30..31).await;
        assert_eq!(select(15, 45).await.considered, 11);
        assert_eq!(select(0, 100).await.considered, 0);

        let rows = selections(&test, campaign.id).await;
        assert_eq!(rows.len(), 31);
        let connection = test.connect().await;
        let tasks = tasks(&connection, campaign.id).await;
        assert_eq!(tasks.len(), 31);
        assert_eq!(tasks.iter().map(|task| task.prediction_id).collect::<HashSet<_>>().len(), 31);
        let own: HashSet<Uuid> = first.iter().map(|id| id.as_uuid()).collect();
        let of_first_batch = rows.iter().filter(|row| Some(row.batch_id) == selected.batch);
        assert_eq!(of_first_batch.map(|row| row.prediction_id).collect::<HashSet<_>>(), own);
        let progress = catalog.campaign(&CampaignName::Id(campaign.id)).await.unwrap().unwrap().progress;
        assert_eq!((progress.considered, progress.chosen, progress.labelled), (31, 31, 0));
        test.stop().await;
    };

    an_interval_has_its_start_and_not_its_end => async |database| {
        let test = start(database).await;
        let at_start = photos(&test.app, 10, 0..1).await[0];
        photos(&test.app, 20, 1..2).await;
        let campaign = campaign(&test.app, &asked("All", CampaignRule::Everything)).await;
        test.app.catalog().select(campaign.id, interval(10, 20), false).await.unwrap();
        assert_eq!(chosen(&test, campaign.id).await, HashSet::from([at_start.as_uuid()]));
        test.stop().await;
    };

    the_same_seed_chooses_the_same_photos_and_another_one_others => async |database| {
        let test = start(database).await;
        photos(&test.app, 5, 0..100).await;
        let rule = CampaignRule::Random { draw: RandomDraw::PerInterval(20) };
        let mut found = Vec::new();
        for (name, seed) in [("one", 7), ("two", 7), ("three", 8)] {
            let asked = NewCampaign { seed: Some(seed), ..asked(name, rule.clone()) };
            let campaign = campaign(&test.app, &asked).await;
            test.app.catalog().select(campaign.id, interval(0, 30), false).await.unwrap();
            found.push(chosen(&test, campaign.id).await);
        }
        assert_eq!(found[0].len(), 20);
        assert_eq!(found[0], found[1]);
        assert_ne!(found[0], found[2]);
        test.stop().await;
    };

    servers_that_select_at_once_make_one_batch => async |database| {
        let test = start(database).await;
        photos(&test.app, 5, 0..60).await;
        let other = Catalog::open(&test.app.settings().catalog_url(), 4).await.unwrap();
        // Which of them comes first, and how far the others are then, is chance's: one campaign after the other.
        for number in 0_i64..20 {
            let campaign = campaign(&test.app, &asked(&format!("Mix {number}"), continuous())).await;
            let (first, same, part, late) = tokio::join!(
                test.app.catalog().select(campaign.id, interval(0, 30), false),
                other.select(campaign.id, interval(0, 30), false),
                other.select_in_parts(campaign.id, interval(0, 6), 7),
                async {
                    tokio::time::sleep(std::time::Duration::from_millis(2 * number.unsigned_abs())).await;
                    other.select(campaign.id, interval(0, 30), false).await
                },
            );
            let considered = [first, same, part, late].map(|selected| selected.unwrap().considered);
            assert_eq!(considered.iter().sum::<u64>(), 60, "{considered:?}");
            assert_eq!(test.count("batches").await, number + 1);
            assert_eq!(selections(&test, campaign.id).await.len(), 60);
        }
        assert_eq!(test.count("draws").await, 0);
        test.stop().await;
    };

    a_dry_run_says_what_a_run_does_and_changes_nothing => async |database| {
        let test = start(database).await;
        photos(&test.app, 5, 0..60).await;
        let campaign = campaign(&test.app, &asked("Mix", continuous())).await;
        let orders = test.count("outbox").await;
        let dry = test.app.catalog().select(campaign.id, interval(0, 30), true).await.unwrap();
        assert!(dry.dry_run && dry.batch.is_none());
        for table in ["batches", "selections", "tasks"] {
            assert_eq!(test.count(table).await, 0, "{table}");
        }
        assert_eq!(test.count("outbox").await, orders);
        let mut real = test.app.catalog().select(campaign.id, interval(0, 30), false).await.unwrap();
        assert!(real.batch.take().is_some());
        real.dry_run = true;
        assert_eq!(dry, real);
        test.stop().await;
    };

    what_was_frozen_stays_whatever_happens_to_the_photo => async |database| {
        let test = start(database).await;
        let ids = photos(&test.app, 5, 0..60).await;
        let campaign = campaign(&test.app, &asked("Mix", continuous())).await;
        let selected = test.app.catalog().select(campaign.id, interval(0, 30), false).await.unwrap();
        let sizes: Vec<(PhotoStratum, u64)> = selected.strata.iter().map(|it| (it.stratum, it.considered)).collect();
        let expected = [
            (PhotoStratum::LowConfidence, 6),
            (PhotoStratum::Flagged, 6),
            (PhotoStratum::Corrected, 6),
            (PhotoStratum::Others, 42),
        ];
        assert_eq!(sizes, expected);
        let before = selections(&test, campaign.id).await;
        let catalog = test.app.catalog();
        for id in &ids {
            catalog.give_feedback(*id, &Change::Flag(FlagReason::NotFood), Actor::Operator).await.unwrap();
        }
        catalog.erase(ids[3]).await.unwrap();
        assert_eq!(selections(&test, campaign.id).await, before);
        for row in &before {
            let (size, inclusion) = match row.stratum {
                // Three of six, or one of six at random.
                0 => (6, 1.0 - 0.5 * (1.0 - 10.0 / 60.0)),
                1 | 2 => (6, 1.0),
                _ => (42, 10.0 / 60.0),
            };
            assert_eq!(row.stratum_size, size);
            assert!((row.inclusion - inclusion).abs() < 1e-12, "{row:?}");
            assert_eq!(row.flag.as_deref(), (row.stratum == 1).then_some("wrong_label"));
            assert_eq!(row.corrected_class.as_deref(), (row.stratum == 2).then_some("Soup"));
        }
        assert_eq!(before.iter().filter(|row| row.by_random_sample).count(), 10);
        test.stop().await;
    };

    photos_that_were_erased_or_never_acknowledged_are_not_considered => async |database| {
        let test = start(database).await;
        let ids = photos(&test.app, 5, 0..3).await;
        test.app.catalog().erase(ids[0]).await.unwrap();
        // Its place is reserved, its photo is still on the way to S3.
        let on_the_way = received(minute(6), 9, 0.9);
        let later = chrono::Utc::now() + chrono::TimeDelta::hours(1);
        test.app.catalog().record(&on_the_way, None, Some(later)).await.unwrap();
        let campaign = campaign(&test.app, &asked("All", CampaignRule::Everything)).await;
        let select = async || test.app.catalog().select(campaign.id, interval(0, 30), false).await.unwrap().considered;
        assert_eq!(select().await, 2);
        test.app.catalog().mark_stored(on_the_way.id).await.unwrap();
        assert_eq!(select().await, 1, "it is considered once it is there");
        test.stop().await;
    };

    a_campaign_looks_at_no_photo_outside_its_window_and_at_none_once_archived => async |database| {
        let test = start(database).await;
        photos(&test.app, 5, 0..4).await;
        let inside = photos(&test.app, 15, 4..6).await;
        let asked = NewCampaign {
            starts_at: Some(minute(10)),
            ends_at: Some(minute(20)),
            ..asked("Window", CampaignRule::Everything)
        };
        let campaign = campaign(&test.app, &asked).await;
        let catalog = test.app.catalog();
        let selected = catalog.select(campaign.id, interval(0, 30), false).await.unwrap();
        assert_eq!(selected.interval, Some(interval(10, 20)));
        assert_eq!(chosen(&test, campaign.id).await, inside.iter().map(|id| id.as_uuid()).collect());
        let outside = catalog.select(campaign.id, interval(20, 30), false).await.unwrap();
        assert_eq!((outside.interval, outside.considered), (None, 0));

        assert!(catalog.archive_campaign(campaign.id).await.unwrap());
        assert!(catalog.archive_campaign(campaign.id).await.unwrap(), "twice is no error");
        let refused = catalog.select(campaign.id, interval(0, 30), false).await.unwrap_err();
        assert!(matches!(refused, CatalogError::Archived(name) if name == "Window"));
        let refused = catalog.select(Uuid::now_v7(), interval(0, 30), true).await.unwrap_err();
        assert!(matches!(refused, CatalogError::NoCampaign));
        assert!(!catalog.archive_campaign(Uuid::now_v7()).await.unwrap());
        test.stop().await;
    };

    flagged_photos_are_chosen_by_reason_and_corrected_ones_to_the_last => async |database| {
        let test = start(database).await;
        let ids = photos(&test.app, 5, 0..20).await;
        let catalog = test.app.catalog();
        // Beside those that are flagged as wrong, 1 and 11, and corrected, 2 and 12.
        for (number, reason) in [(4, FlagReason::NotFood), (5, FlagReason::NotFood), (6, FlagReason::BadPhoto)] {
            catalog.give_feedback(ids[number], &Change::Flag(reason), Actor::Visitor).await.unwrap();
        }
        // Flagged and corrected; and corrected by somebody who thought better of it.
        for number in [1, 7] {
            catalog.give_feedback(ids[number], &Change::Correct("Rice".to_owned()), Actor::Visitor).await.unwrap();
        }
        catalog.give_feedback(ids[7], &Change::Uncorrect, Actor::Visitor).await.unwrap();
        let flagged = |reasons: &[FlagReason]| CampaignRule::Flagged { reasons: reasons.to_vec(), at_most: None };
        for (name, rule, expected) in [
            ("not food", flagged(&[FlagReason::NotFood]), vec![4, 5]),
            ("two reasons", flagged(&[FlagReason::BadPhoto, FlagReason::WrongLabel]), vec![1, 6, 11]),
            ("none of them", flagged(&[FlagReason::Other]), vec![]),
            ("any reason", flagged(&[]), vec![1, 4, 5, 6, 11]),
            ("corrected", CampaignRule::Corrected { at_most: None }, vec![1, 2, 12]),
        ] {
            let campaign = campaign(&test.app, &asked(name, rule)).await;
            let selected = catalog.select(campaign.id, interval(0, 30), false).await.unwrap();
            assert_eq!((selected.considered, selected.chosen), (20, expected.len() as u64), "{name}");
            let expected: HashSet<Uuid> = expected.into_iter().map(|number: usize| ids[number].as_uuid()).collect();
            assert_eq!(chosen(&test, campaign.id).await, expected, "{name}");
        }
        test.stop().await;
    };

    margin_and_entropy_are_read_from_the_probabilities => async |database| {
        let test = start(database).await;
        // The two most probable classes are 0.9 and 0.05, and 0.5 and 0.25.
        photos(&test.app, 5, 0..10).await;
        for (measure, threshold) in [(Uncertainty::Margin, 0.5), (Uncertainty::Entropy, 0.6)] {
            let rule = CampaignRule::LowConfidence { unsure: LowConfidence { measure, threshold }, at_most: None };
            let campaign = campaign(&test.app, &asked(&format!("{measure:?}"), rule)).await;
            let selected = test.app.catalog().select(campaign.id, interval(0, 30), false).await.unwrap();
            assert_eq!((selected.considered, selected.chosen, selected.confident), (10, 1, 7), "{measure:?}");
        }
        test.stop().await;
    };

    a_preview_says_how_many_which_and_how_narrow_and_changes_nothing => async |database| {
        let test = start(database).await;
        let ids = photos(&test.app, 5, 0..60).await;
        let catalog = test.app.catalog();
        let preview = async |asked: NewCampaign| catalog.preview_campaign(&asked, interval(0, 30)).await.unwrap();
        let mix = preview(asked("Mix", continuous())).await;
        assert_eq!(mix.selected.considered, 60);
        let known: HashSet<&PredictionId> = ids.iter().collect();
        assert!(!mix.photos.is_empty() && mix.photos.iter().all(|id| known.contains(id)));
        assert_eq!(mix.photos.len() as u64, mix.selected.chosen.min(24));
        let everything = preview(asked("All", CampaignRule::Everything)).await;
        assert_eq!(everything.half_width, Some(0.0), "a census leaves nothing open");
        let some = mix.half_width.unwrap();
        assert!(some > 0.0 && some < 0.5, "{some}");
        // Photos that a rule leaves no way say nothing: nearly everything stays open.
        let flagged = preview(asked("F", CampaignRule::Flagged { reasons: Vec::new(), at_most: None })).await;
        assert!(flagged.half_width.unwrap() > some);
        let shown = preview(NewCampaign { blind: false, ..asked("S", CampaignRule::Everything) }).await;
        assert_eq!(shown.half_width, None);
        for table in ["campaigns", "batches", "selections", "tasks"] {
            assert_eq!(test.count(table).await, 0, "{table}");
        }
        // The campaign that is made then chooses those photos.
        let campaign = campaign(&test.app, &asked("Mix", continuous())).await;
        catalog.select(campaign.id, interval(0, 30), false).await.unwrap();
        let chosen = chosen(&test, campaign.id).await;
        assert!(mix.photos.iter().all(|id| chosen.contains(&id.as_uuid())));
        test.stop().await;
    };

    a_sample_of_five_says_how_little_it_will_know_and_a_larger_one_knows_more => async |database| {
        let test = start(database).await;
        photos(&test.app, 5, 0..100).await;
        let mut widths = Vec::new();
        for size in [5, 20, 60, 100] {
            let asked = asked(&format!("{size}"), CampaignRule::Random { draw: RandomDraw::PerInterval(size) });
            let ahead = test.app.catalog().preview_campaign(&asked, interval(0, 30)).await.unwrap();
            assert_eq!(ahead.selected.chosen, size, "the size is whoever makes it's to say");
            widths.push(ahead.half_width.unwrap());
            // And it chooses so many.
            let campaign = campaign(&test.app, &asked).await;
            let selected = test.app.catalog().select(campaign.id, interval(0, 30), false).await.unwrap();
            assert_eq!(selected.chosen, size);
        }
        assert!(widths.windows(2).all(|pair| pair[0] > pair[1]), "{widths:?}");
        assert!(widths[0] > 0.15, "five photos leave more than 15 points to either side open: {widths:?}");
        assert_eq!(widths[3], 0.0, "a census leaves nothing open");
        test.stop().await;
    };

    whatever_the_size_of_a_part_the_same_is_frozen => async |database| {
        let test = start(database).await;
        photos(&test.app, 5, 0..60).await;
        let mut frozen = Vec::new();
        for (name, part) in [("whole", 1000), ("sevens", 7), ("ones", 1)] {
            let campaign = campaign(&test.app, &NewCampaign { seed: Some(3), ..asked(name, continuous()) }).await;
            let selected = test.app.catalog().select_in_parts(campaign.id, interval(0, 30), part).await.unwrap();
            let mut rows = selections(&test, campaign.id).await;
            rows.sort_by_key(|row| row.prediction_id);
            for row in &mut rows {
                (row.campaign_id, row.batch_id) = (Uuid::nil(), 0);
            }
            let connection = test.connect().await;
            let mut tasks: Vec<_> = tasks(&connection, campaign.id)
                .await
                .into_iter()
                .map(|task| (task.prediction_id, task.position, task.wanted, task.closed_at))
                .collect();
            tasks.sort_unstable();
            assert_eq!(tasks.len() as u64, selected.chosen);
            frozen.push((rows, tasks, Selected { batch: None, ..selected }));
            for table in ["draws", "draw_parts"] {
                assert_eq!(test.count(table).await, 0, "{table}");
            }
        }
        assert_eq!(frozen[0], frozen[1]);
        assert_eq!(frozen[0], frozen[2]);
        let moved = frozen[0].0.iter().filter(|row| row.chosen || row.confident).count();
        assert_eq!(test.count("outbox").await, i64::try_from(moved).unwrap());
        test.stop().await;
    };

    cut_off_between_its_parts_and_changed_meanwhile_a_draw_stays_what_it_was => async |database| {
        let test = start(database).await;
        let catalog = test.app.catalog();
        let mut begun = 0;
        let stride = if database == Database::Sqlite { 1 } else { 4 };
        for (round, polls) in (0..).zip((1..).step_by(stride)) {
            let from = round * 40;
            let window = interval(from, from + 40);
            let first = u64::try_from(round).unwrap() * 10;
            let ids = photos(&test.app, from + 5, first..first + 10).await;
            let asked = NewCampaign { seed: Some(5), ..asked(&format!("Round {round}"), continuous()) };
            let campaign = campaign(&test.app, &asked).await;
            let finished = at_most(polls, async {
                catalog.select_in_parts(campaign.id, window, 4).await.unwrap();
            })
            .await;
            let connection = test.connect().await;
            let batches = batch::Entity::find().filter(batch::Column::CampaignId.eq(campaign.id)).all(&connection).await;
            let drawn = batches.unwrap();
            // People go on; the draw stays what it was.
            catalog.give_feedback(ids[7], &Change::Flag(FlagReason::Other), Actor::Operator).await.unwrap();
            catalog.erase(ids[8]).await.unwrap();
            catalog.select(campaign.id, window, false).await.unwrap();

            let batches = batch::Entity::find().filter(batch::Column::CampaignId.eq(campaign.id)).all(&connection).await;
            let batches = batches.unwrap();
            let rows = selections(&test, campaign.id).await;
            let erased = ids[8].as_uuid();
            let was_before = rows.iter().any(|row| row.prediction_id == erased);
            let all = if was_before { 10 } else { 9 };
            assert_eq!((batches.len(), batches[0].considered, rows.len()), (1, all, all as usize), "{polls} polls");
            if let Some(drawn) = drawn.first() {
                begun += 1;
                assert!(was_before, "{polls} polls");
                assert_eq!((&drawn.sizes, &drawn.chosen), (&batches[0].sizes, &batches[0].chosen));
                let flagged = rows.iter().find(|row| row.prediction_id == ids[7].as_uuid()).unwrap();
                assert_eq!(flagged.flag, None, "it came later");
            }
            for (stratum, size) in (0..).zip(batches[0].sizes.as_array().unwrap()) {
                let own: Vec<_> = rows.iter().filter(|row| row.stratum == stratum).collect();
                assert_eq!(Some(own.len() as u64), size.as_u64());
                assert!(own.iter().all(|row| Some(row.stratum_size as u64) == size.as_u64()));
            }
            let chosen: HashSet<Uuid> = rows.iter().filter(|row| row.chosen).map(|row| row.prediction_id).collect();
            let tasks = tasks(&connection, campaign.id).await;
            let open: HashSet<Uuid> =
                tasks.iter().filter(|task| task.closed_at.is_none()).map(|task| task.prediction_id).collect();
            assert_eq!(open, chosen.into_iter().filter(|id| *id != erased).collect(), "{polls} polls");
            connection.close().await.unwrap();
            for table in ["draws", "draw_parts"] {
                assert_eq!(test.count(table).await, 0, "{table} after {polls} polls");
            }
            if finished {
                break;
            }
        }
        assert!(begun > 0, "no draw was cut off between its parts");
        test.stop().await;
    };

    a_draw_of_a_campaign_that_is_archived_meanwhile_is_finished => async |database| {
        let test = start(database).await;
        let catalog = test.app.catalog();
        photos(&test.app, 5, 0..20).await;
        let campaign = campaign(&test.app, &asked("All", CampaignRule::Everything)).await;
        for polls in 1.. {
            let cut_off = at_most(polls, async {
                catalog.select_in_parts(campaign.id, interval(0, 30), 4).await.unwrap();
            });
            assert!(!cut_off.await, "it was never cut off in the middle");
            if test.count("batches").await == 1 && test.count("tasks").await < 20 {
                break;
            }
        }
        assert!(catalog.archive_campaign(campaign.id).await.unwrap());
        let refused = catalog.select(campaign.id, interval(0, 30), false).await.unwrap_err();
        assert!(matches!(refused, CatalogError::Archived(_)), "{refused}");
        assert_eq!((test.count("selections").await, test.count("tasks").await), (20, 20));
        test.stop().await;
    };

    uploads_go_on_while_a_large_interval_is_selected => async |database| {
        let test = start(database).await;
        let connection = test.connect().await;
        filling::fill(&connection, 0, 3000, 3000).await.unwrap();
        filling::analyze(&connection).await.unwrap();
        let considered = 3000 - (0..3000).filter(|number| number % 97 == 0).count() as u64;
        let campaign = campaign(&test.app, &asked("All", CampaignRule::Everything)).await;
        let all = gourmetgram_api::Interval {
            start: "2025-01-01T00:00:00Z".parse().unwrap(),
            end: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        let catalog = test.app.catalog().clone();
        let id = campaign.id;
        let selecting = tokio::spawn(async move { catalog.select_in_parts(id, all, 200).await.unwrap() });
        let mut sent = 0;
        let mut seen = HashSet::new();
        while !selecting.is_finished() {
            let photo = received(minute(5), 100_000 + sent, 0.9);
            test.app.catalog().record(&photo, None, None).await.unwrap();
            sent += 1;
            let progress = test.app.catalog().campaign(&CampaignName::Id(id)).await.unwrap().unwrap().progress;
            seen.insert(progress.considered);
            assert!(progress.considered > 0 || progress.chosen == 0, "tasks before their batch is complete");
        }
        assert_eq!(selecting.await.unwrap().considered, considered);
        assert!(seen.is_subset(&HashSet::from([0, considered])), "all of a batch or nothing: {seen:?}");
        // One waits for another's transaction at most: fifteen parts are laid down, written, and made tasks of.
        if database == Database::Sqlite {
            assert!(sent >= 30, "{sent} photos came through");
        }
        connection.close().await.unwrap();
        test.stop().await;
    };

    a_share_of_the_tasks_is_for_two_people => async |database| {
        let test = start(database).await;
        photos(&test.app, 5, 0..100).await;
        let asked = NewCampaign { double_share: 0.3, ..asked("Twice", CampaignRule::Everything) };
        let campaign = campaign(&test.app, &asked).await;
        let selected = test.app.catalog().select(campaign.id, interval(0, 30), false).await.unwrap();
        let connection = test.connect().await;
        let tasks = tasks(&connection, campaign.id).await;
        let twice = tasks.iter().filter(|task| task.wanted == 2).count() as u64;
        assert_eq!(twice, selected.twice);
        assert!((10..60).contains(&twice), "{twice}");
        assert!(tasks.iter().all(|task| (1..=2).contains(&task.wanted) && task.id.get_version_num() == 4));
        // Shown in another order than received.
        let by_time: Vec<Uuid> = {
            let mut ids: Vec<Uuid> = tasks.iter().map(|task| task.prediction_id).collect();
            ids.sort();
            ids
        };
        assert_ne!(tasks.iter().map(|task| task.prediction_id).collect::<Vec<_>>(), by_time);
        test.stop().await;
    };
}

/// More photos than one statement of SQLite or PostgreSQL takes parameters for.
#[tokio::test]
async fn an_interval_of_many_thousand_photos_is_selected_at_once() {
    let test = start(Database::Sqlite).await;
    let connection = test.connect().await;
    filling::fill(&connection, 0, 20_000, 20_000).await.unwrap();
    filling::analyze(&connection).await.unwrap();
    let rule = CampaignRule::Random { draw: RandomDraw::Rate(0.5) };
    let campaign = campaign(&test.app, &asked("Half", rule)).await;
    let all = gourmetgram_api::Interval {
        start: "2025-01-01T00:00:00Z".parse().unwrap(),
        end: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    let selected = test.app.catalog().select(campaign.id, all, false).await.unwrap();
    let erased = (0..20_000).filter(|number| number % 97 == 0).count() as u64;
    assert_eq!(selected.considered, 20_000 - erased);
    assert_eq!(test.count("selections").await.unsigned_abs(), selected.considered);
    assert_eq!(test.count("tasks").await.unsigned_abs(), selected.chosen);
    assert_eq!(test.count("outbox").await.unsigned_abs(), selected.chosen + selected.confident);
    test.stop().await;
}
