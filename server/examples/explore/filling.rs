//! Fills a catalog with made-up predictions, in the database itself: a million in a minute. For the benchmark beside
//! this file and for the tests that look at query plans.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr};

/// Milliseconds of the first prediction; one comes every ten seconds. The last digit is never 0, so that SQLite's text
/// has its three decimals as the server writes them.
const FIRST: i64 = 1_764_000_000_001;
const STEP: i64 = 10_000;

/// Adds predictions `from..to`. Of these, in a fixed pattern: 1 of 97 is erased, 3 % are flagged, 2 % corrected, 2.5 %
/// annotated by five people, 1 % wait for a label, 0.5 % are noisy, 2.2 % clean; the device answered a third, of which it took 1 % for another class, and had another version for a fifth;
/// confidences are multiples of 1/65536,
/// so that many are equal; the model changed at 60 % of `total`, and the last hundred were a trial's.
pub async fn fill(connection: &DatabaseConnection, from: i64, to: i64, total: i64) -> Result<(), DbErr> {
    let sqlite = connection.get_database_backend() == DbBackend::Sqlite;
    let ms = format!("({FIRST} + i * {STEP})");
    let (numbers, time, id, real, json) = if sqlite {
        (
            format!(
                "(WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {to}) SELECT i FROM n)"
            ),
            format!("(strftime('%Y-%m-%dT%H:%M:%S', {ms} / 1000, 'unixepoch') || printf('.%03d+00:00', {ms} % 1000))"),
            format!("unhex(printf('%012x7%03xa%015x', {ms}, i % 4096, i))"),
            "REAL",
            "",
        )
    } else {
        (
            format!("(SELECT i::bigint FROM generate_series({from}, {}) AS s(i)) AS n", to - 1),
            format!("to_timestamp({ms} / 1000.0)"),
            format!(
                "(lpad(to_hex({ms}), 12, '0') || '7' || lpad(to_hex(i % 4096), 3, '0') || 'a' || lpad(to_hex(i), 15, '0'))::uuid"
            ),
            "real",
            "::json",
        )
    };
    let class = "((i * 7919) % 10007) % 11";
    let labels = "('Bread', 'Dairy product', 'Dessert', 'Egg', 'Fried food', 'Meat', 'Noodles/Pasta', 'Rice', 'Seafood', 'Soup', 'Vegetable/Fruit')";
    let label = labels
        .trim_matches(['(', ')'])
        .split(", ")
        .enumerate()
        .map(|(index, label)| format!("WHEN {index} THEN {label}"))
        .collect::<Vec<_>>()
        .join(" ");
    let label = format!("CASE {class} {label} END");
    let every = |number: i64, value: &str| format!("CASE WHEN i % {number} = 0 THEN {value} END");
    let probabilities = format!(
        "'[{}]'{json}",
        (0..11)
            .map(|index| format!("{{\"label\":\"class {index}\",\"probability\":0.0909}}"))
            .collect::<Vec<_>>()
            .join(",")
    );
    let old = total * 6 / 10;
    let trial = total - 100;
    let sql = format!(
        "INSERT INTO predictions (id, created_at, visitor, image_sha256, object_key, content_type, bytes, width, height, \
         class_index, predicted_class, confidence, probabilities, model_version, flag, corrected_class, \
         annotated_class, annotated_by, annotated_at, label_wait_since, noisy_since, clean_since, stored_at, erased_at, \
         device_comparison) \
         SELECT {id}, {time}, 'visitor ' || (i % 1000), 'hash ' || i, 'class_00/' || i || '.jpg', 'image/jpeg', 60000, \
         960, 720, {class}, {label}, CAST(((i * 104729) % 65536) / 65536.0 AS {real}), {probabilities}, \
         CASE WHEN i >= {trial} THEN 'trial-3' WHEN i < {old} THEN 'food64-1' ELSE 'food64-2' END, \
         {flag}, {corrected}, {annotated}, {annotator}, {annotated_at}, {label_wait}, {noisy}, {clean}, {time}, {erased}, {device} \
         FROM {numbers}",
        flag = every(
            33,
            "CASE i % 4 WHEN 0 THEN 'wrong_label' WHEN 1 THEN 'not_food' WHEN 2 THEN 'bad_photo' ELSE 'other' END"
        ),
        corrected = every(50, "'Soup'"),
        annotated = every(40, "CASE i / 40 % 3 WHEN 0 THEN 'Egg' WHEN 1 THEN 'Soup' ELSE 'Rice' END"),
        annotator = every(40, "'annotator ' || (i / 40 % 5)"),
        annotated_at = every(40, &time),
        label_wait = every(100, &time),
        noisy = every(200, &time),
        clean = every(45, &time),
        erased = every(97, &time),
        device = "CASE WHEN i % 3 > 0 THEN NULL WHEN i % 300 = 0 THEN 'disagrees' WHEN i % 30 = 3 THEN \
                  'other_version_disagrees' WHEN i % 30 = 6 THEN 'other_version_agrees' ELSE 'agrees' END",
    );
    connection.execute_unprepared(&sql).await?;
    Ok(())
}

/// Lets the database look at what it holds, as it does by itself after a while.
pub async fn analyze(connection: &DatabaseConnection) -> Result<(), DbErr> {
    let sql = match connection.get_database_backend() {
        DbBackend::Sqlite => "PRAGMA analysis_limit = 1000; PRAGMA optimize = 0x10002",
        _ => "VACUUM ANALYZE",
    };
    connection.execute_unprepared(sql).await?;
    Ok(())
}
