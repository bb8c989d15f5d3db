//! Fills a catalog with thirty days of made-up predictions, in the database itself: a million in a minute.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr};

const CLASSES: [&str; 11] = [
    "Bread",
    "Dairy product",
    "Dessert",
    "Egg",
    "Fried food",
    "Meat",
    "Noodles/Pasta",
    "Rice",
    "Seafood",
    "Soup",
    "Vegetable/Fruit",
];

/// So long a time the predictions are spread over, up to now.
pub const DAYS: i64 = 30;

/// Adds `count` predictions of the model `model`, evenly spread over the last thirty days. One in ten is unsure, one in 33
/// flagged, one in 50 corrected, one in 97 erased; a thousand visitors.
pub async fn fill(
    connection: &DatabaseConnection,
    count: i64,
    model: &str,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, DbErr> {
    let sqlite = connection.get_database_backend() == DbBackend::Sqlite;
    // A last digit that is never 0: SQLite's text then has three decimals, as the server writes them.
    let first = (now - TimeDelta::days(DAYS)).timestamp_millis() / 10 * 10 + 1;
    let step = (DAYS * 86_400_000 / count / 10 * 10).max(10);
    let ms = format!("({first} + i * {step})");
    let (numbers, time, id, real, json) = if sqlite {
        (
            format!(
                "(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count}) SELECT i FROM n)"
            ),
            format!("(strftime('%Y-%m-%dT%H:%M:%S', {ms} / 1000, 'unixepoch') || printf('.%03d+00:00', {ms} % 1000))"),
            format!("unhex(printf('%012x7%03xa%015x', {ms}, i % 4096, i))"),
            "REAL",
            "",
        )
    } else {
        (
            format!("(SELECT i::bigint FROM generate_series(0, {}) AS s(i)) AS n", count - 1),
            format!("to_timestamp({ms} / 1000.0)"),
            format!(
                "(lpad(to_hex({ms}), 12, '0') || '7' || lpad(to_hex(i % 4096), 3, '0') || 'a' || lpad(to_hex(i), 15, '0'))::uuid"
            ),
            "real",
            "::json",
        )
    };
    let class = "((i * 7919) % 10007) % 11";
    let labels: Vec<String> =
        CLASSES.iter().enumerate().map(|(index, label)| format!("WHEN {index} THEN '{label}'")).collect();
    let label = format!("CASE {class} {} END", labels.join(" "));
    let probabilities: Vec<String> =
        CLASSES.iter().map(|label| format!("{{\"label\":\"{label}\",\"probability\":0.0909}}")).collect();
    let confidence = "CASE WHEN i % 10 = 0 THEN 0.2 + ((i * 104729) % 32768) / 65536.0 \
                      ELSE 0.7 + ((i * 104729) % 19660) / 65536.0 END";
    let every = |number: i64, value: &str| format!("CASE WHEN i % {number} = 0 THEN {value} END");
    let sql = format!(
        "INSERT INTO predictions (id, created_at, visitor, image_sha256, object_key, content_type, bytes, width, height, \
         class_index, predicted_class, confidence, probabilities, model_version, flag, corrected_class, stored_at, erased_at) \
         SELECT {id}, {time}, 'visitor ' || ((i * 31) % 1000), 'hash ' || i, 'class_00/' || i || '.jpg', 'image/jpeg', 60000, \
         960, 720, {class}, {label}, CAST({confidence} AS {real}), '[{}]'{json}, '{model}', {flag}, {corrected}, {time}, \
         {erased} FROM {numbers}",
        probabilities.join(","),
        flag = every(33, "'wrong_label'"),
        corrected = every(50, "'Soup'"),
        erased = every(97, &time),
    );
    connection.execute_unprepared(&sql).await?;
    Ok(DateTime::from_timestamp_millis(first).unwrap_or(now))
}

/// Gives every task a label: the model's answer, or, one in five, Soup.
pub async fn label(connection: &DatabaseConnection) -> Result<(), DbErr> {
    let answer = "(SELECT predicted_class FROM predictions WHERE predictions.id = tasks.prediction_id)";
    let label = format!("CASE WHEN position % 5 = 0 THEN 'Soup' ELSE {answer} END");
    let sql = if connection.get_database_backend() == DbBackend::Sqlite {
        format!(
            "UPDATE tasks SET given = 1, closed_at = created_at, \
             resolved = json_object('answer', 'class', 'label', {label})"
        )
    } else {
        format!(
            "UPDATE tasks SET given = 1, closed_at = created_at, \
             resolved = json_build_object('answer', 'class', 'label', {label})"
        )
    };
    connection.execute_unprepared(&sql).await.map(drop)
}
