"""Reads GourmetGram's records with DuckDB and pandas: what there is, what people say, and how accurate the model is.

    aws s3 sync s3://records records      # with the service's S3 endpoint and keys
    python records.py records

Each block is a cell of a notebook. docs/records.md describes every field.
"""

import glob
import json
import sys

import duckdb

folder = sys.argv[1] if len(sys.argv) > 1 else "records"
connection = duckdb.connect()

# %% The rows as they are now: of the lines about one row the one with the greatest `seq` counts.
KEYS = {
    "predictions": "id",
    "campaigns": "id",
    "batches": "id",
    "selections": "campaign_id, prediction_id",
    "tasks": "id",
    "feedback": "id",
}
for kind, key in KEYS.items():
    if not glob.glob(f"{folder}/{kind}/*/*.jsonl"):
        sys.exit(f"{folder} has no {kind} yet: is it a copy of the bucket, and has a campaign selected something?")
    connection.execute(f"""
        CREATE VIEW {kind} AS
        SELECT * FROM read_json('{folder}/{kind}/*/*.jsonl', format = 'newline_delimited', union_by_name = true)
        QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY seq DESC) = 1 AND NOT deleted
    """)

# %% Photos by class, and what people think of the answers; a pandas table.
by_class = connection.execute("""
    SELECT predicted_class,
           count(*) AS photos,
           round(avg(confidence), 4) AS confidence,
           count(flag) AS flagged,
           count(corrected_class) AS corrected
    FROM predictions
    WHERE erased_at IS NULL
    GROUP BY ALL ORDER BY photos DESC, predicted_class
""").df()

# %% How accurate the model is: every blind label that stands, weighed by what the draw made of its photo.
#
# A chosen photo speaks for 1/π photos, whatever made it be chosen. Photos without a class (not food, unreadable) have no
# right answer and are left out. docs/statistics.md says what else a good estimate needs; the service does it.
labelled = connection.execute("""
    SELECT campaigns.name AS campaign,
           predictions.predicted_class,
           tasks.resolved ->> 'label' AS label,
           1 / selections.inclusion AS weight
    FROM selections
    JOIN campaigns ON campaigns.id = selections.campaign_id AND campaigns.blind
    JOIN tasks USING (campaign_id, prediction_id)
    JOIN predictions ON predictions.id = selections.prediction_id
    WHERE selections.chosen AND tasks.closed_at IS NOT NULL AND tasks.resolved ->> 'answer' = 'class'
""").df()
labelled["right"] = labelled["predicted_class"] == labelled["label"]
labelled["weighed"] = labelled["right"] * labelled["weight"]
sums = labelled.groupby("campaign")[["weighed", "weight"]].sum()
accuracy = (sums["weighed"] / sums["weight"]).round(4)

# %% What was said, and by whom.
steps = connection.execute("SELECT kind, count(*) AS steps FROM feedback GROUP BY ALL ORDER BY kind").df()

print(
    json.dumps(
        {
            "photos": {row.predicted_class: int(row.photos) for row in by_class.itertuples()},
            "flagged": int(by_class["flagged"].sum()),
            "corrected": int(by_class["corrected"].sum()),
            "accuracy": {name: float(value) for name, value in accuracy.items()},
            "labels": int(len(labelled)),
            "feedback": {row.kind: int(row.steps) for row in steps.itertuples()},
        }
    )
)
