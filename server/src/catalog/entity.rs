//! The catalog's tables, one module each. Their columns' meaning is told here; `migration` creates them.
//!
//! Rows that can be serialized are written to the bucket `records` as they are: a column that is added to one of them is
//! a field of the records from then on, and has to be described in docs/records.md (a test says so).

/// One row a prediction: what came in, what was answered, what stands of people's feedback.
///
/// An erased prediction keeps its row as a tombstone: id, time, class and model version stay for anonymous counts,
/// everything that came from the visitor is cleared.
pub mod prediction {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    /// A row of `predictions`.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "predictions")]
    pub struct Model {
        /// UUID version 7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// When the photo was received, by the server's clock, to the millisecond; where `source` is set, when it is
        /// said to have been.
        pub created_at: DateTimeUtc,
        /// SHA-256 of the uploader's visitor token; absent for machine clients and after erasure.
        pub visitor: Option<String>,
        /// SHA-256 of the request's `Idempotency-Key`, scoped by visitor; unique.
        pub idempotency: Option<String>,
        /// SHA-256 of the photo's file; empty after erasure.
        pub image_sha256: String,
        /// Key in the bucket `production`.
        pub object_key: String,
        /// Type of the photo's file.
        pub content_type: String,
        /// Size of the photo's file.
        pub bytes: i64,
        /// Width as shown, in pixels.
        pub width: i32,
        /// Height as shown, in pixels.
        pub height: i32,
        /// Index of the most probable class.
        pub class_index: i32,
        /// Its label.
        pub predicted_class: String,
        /// Its probability.
        pub confidence: f32,
        /// Label and probability of every class, in the model's order.
        pub probabilities: Json,
        /// The model that answered.
        pub model_version: String,
        /// The on-device answer, if one was sent along or soon afterwards.
        pub device: Option<Json>,
        /// Reason of the standing flag.
        pub flag: Option<String>,
        /// Label of the standing correction.
        pub corrected_class: Option<String>,
        /// The annotators' label that stands.
        pub annotated_class: Option<String>,
        /// Who gave the label that stands.
        pub annotated_by: Option<String>,
        /// Since when it stands.
        pub annotated_at: Option<DateTimeUtc>,
        /// Since when a copy waits in the bucket for labelling; absent while there is none.
        pub label_wait_since: Option<DateTimeUtc>,
        /// Since when a copy lies in the bucket of photos whose label is in doubt.
        pub noisy_since: Option<DateTimeUtc>,
        /// Since when a copy lies in the bucket of photos with an annotator's label.
        pub clean_since: Option<DateTimeUtc>,
        /// When the photo was seen to be in the object store.
        pub stored_at: Option<DateTimeUtc>,
        /// Name of the file in the spool of `spool_node`, until the photo is stored.
        pub spool_file: Option<String>,
        /// The node whose spool holds the photo.
        pub spool_node: Option<Uuid>,
        /// When the uploader (or an operator) erased it.
        pub erased_at: Option<DateTimeUtc>,
        /// Where a simulated prediction comes from; absent on everything real. Erasure keeps it, so that anonymous
        /// counts can leave simulations out.
        pub source: Option<String>,
        /// What the on-device answer is beside the server's, as [`DeviceComparison`](gourmetgram_api::DeviceComparison)
        /// says it; absent where the device did not answer. Erasure keeps it.
        pub device_comparison: Option<String>,
        /// How large the photo was before it was made smaller to be sent, as `4032x3024`; absent where it was sent as it
        /// was, and after erasure.
        pub scaled_from: Option<String>,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Every step of feedback ever taken, in order. Append-only; erasure keeps it, as it says nothing about the visitor.
pub mod feedback {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    /// A row of `feedback`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "feedback")]
    pub struct Model {
        /// Counts up: the order of steps.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// What it is about.
        pub prediction_id: Uuid,
        /// `flagged`, `unflagged`, `corrected` or `uncorrected`.
        pub kind: String,
        /// The flag's reason or the correction's label.
        pub value: Option<String>,
        /// `visitor` or `operator`.
        pub actor: String,
        /// When.
        pub at: DateTimeUtc,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Predictions whose object in the store is not yet what the catalog says. One row a prediction at most.
pub mod outbox {
    use sea_orm::entity::prelude::*;

    /// A row of `outbox`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "outbox")]
    pub struct Model {
        /// The prediction to carry over.
        #[sea_orm(primary_key, auto_increment = false)]
        pub prediction_id: Uuid,
        /// Counts the changes since the row was made: a change that arrives while an older one is carried over keeps
        /// the row alive.
        pub revision: i64,
        /// Tries that failed since the last success or change.
        pub attempts: i32,
        /// Not before this time.
        pub due_at: DateTimeUtc,
        /// Drawn anew by every claim: only its holder may finish the row (fencing token).
        pub lease: Option<Uuid>,
        /// The node that claimed it: what it held when it died is free again when it starts.
        pub leased_by: Option<Uuid>,
        /// Until when the claim holds.
        pub leased_until: Option<DateTimeUtc>,
        /// How often the objects of an erased prediction were removed.
        pub erase_passes: i32,
        /// Why the last try failed.
        pub last_error: Option<String>,
        /// When the row was made: the age of the backlog.
        pub created_at: DateTimeUtc,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// People who sign in.
pub mod user {
    use sea_orm::entity::prelude::*;

    /// A row of `users`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        /// UUID version 7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The name as it was given.
        pub name: String,
        /// The name in lower case: unique, and what a sign-in is looked up by.
        pub name_key: String,
        /// `annotator` or `operator`.
        pub role: String,
        /// The password, hashed with argon2id, in PHC format.
        pub password_hash: String,
        /// When the account was made.
        pub created_at: DateTimeUtc,
        /// Since when it cannot sign in.
        pub disabled_at: Option<DateTimeUtc>,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Browsers that are signed in. Only the hashes of their cookies are kept.
pub mod session {
    use sea_orm::entity::prelude::*;

    /// A row of `sessions`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sessions")]
    pub struct Model {
        /// SHA-256 of the cookie's token.
        #[sea_orm(primary_key, auto_increment = false)]
        pub token_sha256: String,
        /// Who is signed in; absent where an operator came by a one-time link and has no account yet.
        pub user_id: Option<Uuid>,
        /// When they signed in.
        pub created_at: DateTimeUtc,
        /// When they were last seen, to the minute or so.
        pub last_seen_at: DateTimeUtc,
        /// When it ends however busy it is.
        pub expires_at: DateTimeUtc,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One-time links that sign an operator in. A link that was used is gone.
pub mod operator_link {
    use sea_orm::entity::prelude::*;

    /// A row of `operator_links`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "operator_links")]
    pub struct Model {
        /// SHA-256 of the link's token.
        #[sea_orm(primary_key, auto_increment = false)]
        pub token_sha256: String,
        /// When it stops working.
        pub expires_at: DateTimeUtc,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Bearer tokens of machine clients. Only their hashes are kept.
pub mod access_token {
    use sea_orm::entity::prelude::*;

    /// A row of `access_tokens`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_tokens")]
    pub struct Model {
        /// SHA-256 of the token.
        #[sea_orm(primary_key, auto_increment = false)]
        pub token_sha256: String,
        /// A name to know it by; unique.
        pub name: String,
        /// What it may do: words of [`Scope`](crate::accounts::Scope), separated by spaces.
        pub scopes: String,
        /// When it was made.
        pub created_at: DateTimeUtc,
        /// When it stops working; absent: never.
        pub expires_at: Option<DateTimeUtc>,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Labelling campaigns: which photos people label, and how.
pub mod campaign {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    /// A row of `campaigns`.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "campaigns")]
    pub struct Model {
        /// UUID version 7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Its name; unique.
        pub name: String,
        /// Which photos: a [`CampaignRule`](gourmetgram_api::CampaignRule).
        pub rule: Json,
        /// Annotators do not learn what the model answered.
        pub blind: bool,
        /// `review` or `label_studio`.
        pub labelled_in: String,
        /// The share of tasks that two people label.
        pub double_share: f64,
        /// Photos received before are never considered.
        pub starts_at: Option<DateTimeUtc>,
        /// Photos received from then on are never considered.
        pub ends_at: Option<DateTimeUtc>,
        /// What its random draws are made from; a 32-bit number.
        pub seed: i64,
        /// When it selects by itself, in the five fields of cron.
        pub schedule: Option<String>,
        /// The project that was made for it in Label Studio.
        pub project: Option<i64>,
        /// Since when it exists.
        pub created_at: DateTimeUtc,
        /// Since when it selects nothing more.
        pub archived_at: Option<DateTimeUtc>,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What a campaign drew from one interval at one time: frozen, never changed.
pub mod batch {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    /// A row of `batches`.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "batches")]
    pub struct Model {
        /// Counts up.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Whose it is.
        pub campaign_id: Uuid,
        /// Photos received from here on,
        pub interval_start: DateTimeUtc,
        /// up to here, without it.
        pub interval_end: DateTimeUtc,
        /// The rule as it was.
        pub rule: Json,
        /// The seed as it was.
        pub seed: i64,
        /// Photos considered of each stratum, in the order of [`Stratum::ALL`](gourmetgram_evaluation::Stratum::ALL).
        pub sizes: Json,
        /// Photos chosen of each stratum, in the same order.
        pub chosen: Json,
        /// Photos considered, of all strata: what progress sums up. 0 as long as not all of them are written down.
        pub considered: i64,
        /// When it was drawn.
        pub drawn_at: DateTimeUtc,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What a campaign has drawn and not written yet: gone when all of it is.
pub mod draw {
    use sea_orm::entity::prelude::*;

    /// A row of `draws`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "draws")]
    pub struct Model {
        /// Names it.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Whose it is.
        pub campaign_id: Uuid,
        /// Its batch; absent as long as it does not count: nobody can see it, and whoever made it may have died.
        pub batch_id: Option<i64>,
        /// Parts it has.
        pub parts: i32,
        /// Parts whose photos are written down as considered, from the first on. Tasks are made when all are.
        pub written: i32,
        /// π and N_h of each stratum, in the order of [`Stratum::ALL`](gourmetgram_evaluation::Stratum::ALL).
        pub strata: Json,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Some of the photos of a draw: as many as one transaction takes.
pub mod draw_part {
    use sea_orm::entity::prelude::*;

    /// A row of `draw_parts`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "draw_parts")]
    pub struct Model {
        /// The draw.
        #[sea_orm(primary_key, auto_increment = false)]
        pub draw_id: Uuid,
        /// Counts up from 0.
        #[sea_orm(primary_key, auto_increment = false)]
        pub part: i32,
        /// What was decided about each photo, as JSON.
        #[sea_orm(column_type = "Text")]
        pub photos: String,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A photo that a campaign has considered: once, with everything that its label will be weighed by. Never changed; it
/// stays when the photo is erased.
pub mod selection {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    /// A row of `selections`.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "selections")]
    pub struct Model {
        /// Whose.
        #[sea_orm(primary_key, auto_increment = false)]
        pub campaign_id: Uuid,
        /// The photo.
        #[sea_orm(primary_key, auto_increment = false)]
        pub prediction_id: Uuid,
        /// The batch it was considered in.
        pub batch_id: i64,
        /// Index of its stratum at that time, in [`Stratum::ALL`](gourmetgram_evaluation::Stratum::ALL).
        pub stratum: i32,
        /// π: the probability with which it was chosen, over all ways; 0 where the rule leaves it no way.
        pub inclusion: f64,
        /// N_h: photos of this stratum in this batch, chosen or not.
        pub stratum_size: i64,
        /// Whether it was chosen.
        pub chosen: bool,
        /// Whether the random sample of all photos took it, whatever else did.
        pub by_random_sample: bool,
        /// Not chosen, and the model was sure: a copy goes to the bucket of photos whose label is the model's.
        pub confident: bool,
        /// Reason of the flag that stood.
        pub flag: Option<String>,
        /// Label of the correction that stood.
        pub corrected_class: Option<String>,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A chosen photo as it is shown to annotators.
pub mod task {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    /// A row of `tasks`.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "tasks")]
    pub struct Model {
        /// UUID; names the copy in the bucket for labelling, and says nothing of the photo.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Whose.
        pub campaign_id: Uuid,
        /// The photo.
        pub prediction_id: Uuid,
        /// The batch it was chosen in.
        pub batch_id: i64,
        /// Place in the order in which tasks are shown: drawn at random.
        pub position: i64,
        /// How many people are to label it: 1 or 2.
        pub wanted: i32,
        /// How many have: annotations that stand.
        pub given: i32,
        /// When it had all its labels, or was withdrawn because the photo was erased.
        pub closed_at: Option<DateTimeUtc>,
        /// The label that stands of its annotations: a [`Seen`](gourmetgram_api::Seen).
        pub resolved: Option<Json>,
        /// Number of the task in Label Studio.
        pub remote_id: Option<i64>,
        /// When it was made.
        pub created_at: DateTimeUtc,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An annotator who is looking at a task: nobody else gets it meanwhile.
pub mod lease {
    use sea_orm::entity::prelude::*;

    /// A row of `task_leases`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "task_leases")]
    pub struct Model {
        /// The task.
        #[sea_orm(primary_key, auto_increment = false)]
        pub task_id: Uuid,
        /// Name of who looks at it.
        #[sea_orm(primary_key, auto_increment = false)]
        pub annotator: String,
        /// Until when.
        pub until: DateTimeUtc,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An annotator who did not want to say anything about a task: they do not get it again.
pub mod skip {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    /// A row of `task_skips`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "task_skips")]
    pub struct Model {
        /// The task.
        #[sea_orm(primary_key, auto_increment = false)]
        pub task_id: Uuid,
        /// Name of who skipped it.
        #[sea_orm(primary_key, auto_increment = false)]
        pub annotator: String,
        /// When.
        pub at: DateTimeUtc,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What somebody said about a task. Changing it is a new row that takes the place of the old one; rows are never removed
/// and only `replaced_at` is ever written to them.
pub mod annotation {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    /// A row of `annotations`.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "annotations")]
    pub struct Model {
        /// UUID version 7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The task.
        pub task_id: Uuid,
        /// Name of who said it.
        pub annotator: String,
        /// What they saw: a [`Seen`](gourmetgram_api::Seen).
        pub seen: Json,
        /// `review` or `label_studio`.
        pub through: String,
        /// Whether they could not know what the model had answered.
        pub blind: bool,
        /// How long they looked, in milliseconds, as far as known.
        pub took_ms: Option<i64>,
        /// Names it in Label Studio.
        pub remote_id: Option<i64>,
        /// When it was given.
        pub at: DateTimeUtc,
        /// When another one took its place, or it was taken back.
        pub replaced_at: Option<DateTimeUtc>,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A copy of a photo that is, or may be, in a bucket other than `production`. Written before the object, removed after it:
/// there is never an object of ours without its row.
pub mod placement {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    /// A row of `placements`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "placements")]
    pub struct Model {
        /// `label_wait`, `noisy` or `clean`.
        #[sea_orm(primary_key, auto_increment = false)]
        pub bucket: String,
        /// Its key there.
        #[sea_orm(primary_key, auto_increment = false)]
        pub object_key: String,
        /// The photo.
        pub prediction_id: Uuid,
        /// Since when it is known to be there.
        pub placed_at: Option<DateTimeUtc>,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Runs of pipelines: what is to be done, is being done or was done for one interval. There is one row for a pipeline, its
/// subject and an interval, however often it is asked for; dry runs are rows of their own.
pub mod run {
    use sea_orm::entity::prelude::*;

    /// A row of `runs`.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "runs")]
    pub struct Model {
        /// UUID version 7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Name of the pipeline.
        pub pipeline: String,
        /// What it is about: a campaign's id, or empty.
        pub subject: String,
        /// The interval's start,
        pub interval_start: DateTimeUtc,
        /// and its end, without it.
        pub interval_end: DateTimeUtc,
        /// `schedule`, `manual` or `backfill`.
        pub cause: String,
        /// Finds out what would be done, and does nothing.
        pub dry_run: bool,
        /// `waiting`, `running`, `succeeded`, `failed` or `cancelled`.
        pub state: String,
        /// Tries that were begun since it was last asked for.
        pub attempts: i32,
        /// Those of them that took the run over from a server that had fallen silent.
        pub takeovers: i32,
        /// Not before this time, while it waits.
        pub due_at: DateTimeUtc,
        /// Drawn anew by every claim: only its holder may write (fencing token).
        pub lease: Option<Uuid>,
        /// The node that holds it.
        pub leased_by: Option<Uuid>,
        /// Until when, unless it is renewed.
        pub leased_until: Option<DateTimeUtc>,
        /// When it was first asked for.
        pub created_at: DateTimeUtc,
        /// When its last try began.
        pub started_at: Option<DateTimeUtc>,
        /// When it ended.
        pub ended_at: Option<DateTimeUtc>,
        /// What it did, counted: a map from word to number.
        pub counts: Json,
        /// Why the last try failed.
        pub error: Option<String>,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A step of a run: what a try need not do again.
pub mod run_step {
    use sea_orm::entity::prelude::*;

    /// A row of `run_steps`.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "run_steps")]
    pub struct Model {
        /// The run.
        #[sea_orm(primary_key, auto_increment = false)]
        pub run_id: Uuid,
        /// The step's place, counted from 0.
        #[sea_orm(primary_key, auto_increment = false)]
        pub position: i32,
        /// Its name.
        pub name: String,
        /// `waiting`, `running`, `succeeded`, `failed` or `skipped`.
        pub state: String,
        /// When it began last.
        pub started_at: Option<DateTimeUtc>,
        /// When it ended.
        pub ended_at: Option<DateTimeUtc>,
        /// What it did, counted.
        pub counts: Json,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What runs say while they work.
pub mod run_log {
    use sea_orm::entity::prelude::*;

    /// A row of `run_log`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "run_log")]
    pub struct Model {
        /// Counts up.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The run.
        pub run_id: Uuid,
        /// When.
        pub at: DateTimeUtc,
        /// `info`, `warn` or `error`.
        pub level: String,
        /// The line.
        pub text: String,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What of a campaign had been labelled when a run of `collect` had done its work: one row a run.
pub mod collection {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    /// A row of `collections`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "collections")]
    pub struct Model {
        /// Counts up.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The run; unique. A catalog that was rebuilt does not know it.
        pub run_id: Uuid,
        /// Whose.
        pub campaign_id: Uuid,
        /// The run's interval's start,
        pub interval_start: DateTimeUtc,
        /// and its end, without it.
        pub interval_end: DateTimeUtc,
        /// Tasks, without those of erased photos.
        pub chosen: i64,
        /// Tasks that have all their labels.
        pub labelled: i64,
        /// Of these, how many resolved to "not food",
        pub not_food: i64,
        /// and how many to "unreadable".
        pub unreadable: i64,
        /// When it was written last.
        pub collected_at: DateTimeUtc,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows that have changed since they were last written to the bucket `records`. The database's triggers make these marks,
/// so that no change is ever forgotten, whoever makes it.
pub mod record_mark {
    use sea_orm::entity::prelude::*;

    /// A row of `record_marks`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "record_marks")]
    pub struct Model {
        /// Counts up: a later change of a row has a greater number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Which table: a word of [`RecordKind`](crate::records::RecordKind).
        pub kind: String,
        /// Which row: its primary key, UUIDs as 32 hexadecimal digits, two columns joined by a slash.
        pub row_key: String,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Objects of the bucket `records`, written or about to be.
pub mod record_object {
    use sea_orm::entity::prelude::*;

    /// A row of `record_objects`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "record_objects")]
    pub struct Model {
        /// Counts up from 1 without a gap.
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i64,
        /// Which table its lines are from.
        pub kind: String,
        /// Its key.
        pub object_key: String,
        /// What it is to hold; cleared once it is there.
        pub body: Option<String>,
        /// Changes with `body`, so that nobody takes an older one for written.
        pub revision: i64,
        /// When its lines were read from the catalog.
        pub planned_at: DateTimeUtc,
        /// When it was seen to be in the object store.
        pub written_at: Option<DateTimeUtc>,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Which objects of the bucket `records` tell of a prediction: what erasing it has to clean.
pub mod record_mention {
    use sea_orm::entity::prelude::*;

    /// A row of `record_mentions`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "record_mentions")]
    pub struct Model {
        /// The prediction.
        #[sea_orm(primary_key, auto_increment = false)]
        pub prediction_id: Uuid,
        /// The object.
        #[sea_orm(primary_key, auto_increment = false)]
        pub object_number: i64,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What ties a catalog to its bucket `records`: one row.
pub mod record_log {
    use sea_orm::entity::prelude::*;

    /// The row of `record_log`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "record_log")]
    pub struct Model {
        /// Always 1.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        /// Names the history in the bucket; absent before the first record is written, and after a restore.
        pub log: Option<Uuid>,
        /// Number of the object that was planned last.
        pub last_number: i64,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who compacts the records: one row.
pub mod compaction {
    use sea_orm::entity::prelude::*;

    /// The row of `compaction`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "compaction")]
    pub struct Model {
        /// Always 1.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        /// Names the compaction that is under way.
        pub holder: Option<Uuid>,
        /// Until when it is thought to be.
        pub leased_until: Option<DateTimeUtc>,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What the tags of a photo's object said of feedback when we wrote them last; a photo without a row has none there.
pub mod mirror {
    use sea_orm::entity::prelude::*;

    /// A row of `mirrors`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "mirrors")]
    pub struct Model {
        /// The photo.
        #[sea_orm(primary_key, auto_increment = false)]
        pub prediction_id: Uuid,
        /// Whether they say that it is flagged; absent where nobody knows what they say.
        pub flagged: Option<bool>,
        /// The correction they tell of.
        pub corrected_class: Option<String>,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Photos whose hour is to be counted anew, because something about them has changed. Triggers make these marks.
pub mod evaluation_mark {
    use sea_orm::entity::prelude::*;

    /// A row of `evaluation_marks`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "evaluation_marks")]
    pub struct Model {
        /// Counts up.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// When a photo was received; with `until`, the start of a stretch of time,
        pub at: DateTimeUtc,
        /// and its end, without it.
        pub until: Option<DateTimeUtc>,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What is counted of the photos that one model version was sent in an hour, a day or a month.
pub mod evaluation_count {
    use sea_orm::entity::prelude::*;

    /// A row of `evaluation_counts`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "evaluation_counts")]
    pub struct Model {
        /// The model version.
        #[sea_orm(primary_key, auto_increment = false)]
        pub model: String,
        /// `hour`, `day` or `month`.
        #[sea_orm(primary_key, auto_increment = false)]
        pub step: String,
        /// Its start, in UTC.
        #[sea_orm(primary_key, auto_increment = false)]
        pub start_at: DateTimeUtc,
        /// Photos.
        pub photos: i64,
        /// Labels of the random sample that say that the answer was right,
        pub random_right: i64,
        /// and that it was wrong.
        pub random_wrong: i64,
        /// Tasks that wait for a label,
        pub waiting: i64,
        /// and since when the oldest does.
        pub waiting_since: Option<DateTimeUtc>,
        /// Everything: [`Counts`](crate::evaluating::Counts) as JSON.
        pub counts: String,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The photos a model version saw first: what drift is measured against. Frozen.
pub mod evaluation_reference {
    use sea_orm::entity::prelude::*;

    /// A row of `evaluation_references`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "evaluation_references")]
    pub struct Model {
        /// The model version.
        #[sea_orm(primary_key, auto_increment = false)]
        pub model: String,
        /// The start of the first hour,
        pub from_at: DateTimeUtc,
        /// and the end of the last.
        pub to_at: DateTimeUtc,
        /// The [`Traffic`](crate::evaluating::Traffic) between as JSON.
        pub counts: String,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Evaluations that were published: never changed, never removed. The database refuses both.
pub mod evaluation_result {
    use sea_orm::entity::prelude::*;

    /// A row of `evaluation_results`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "evaluation_results")]
    pub struct Model {
        /// Counts up.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// When it was computed.
        pub computed_at: DateTimeUtc,
        /// Of which model version.
        pub model: String,
        /// Of photos received from here on,
        pub from_at: DateTimeUtc,
        /// up to here, without it.
        pub to_at: DateTimeUtc,
        /// A [`PublishedEvaluation`](gourmetgram_api::PublishedEvaluation) as JSON, its number aside.
        pub result: String,
        /// From what it can be computed again: a [`Manifest`](crate::evaluating::Manifest) as JSON.
        pub manifest: String,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What the counts were made with: one row.
pub mod evaluation_state {
    use sea_orm::entity::prelude::*;

    /// The row of `evaluation_state`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "evaluation_state")]
    pub struct Model {
        /// Always 1.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        /// The campaign whose labels count.
        pub campaign_id: Option<Uuid>,
        /// Days up to here, without it, have their visitors counted.
        pub visitors_until: Option<DateTimeUtc>,
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
