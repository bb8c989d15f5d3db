//! The catalog's tables, one module each. Their columns' meaning is told here; `migration` creates them.

/// One row a prediction: what came in, what was answered, what stands of people's feedback.
///
/// An erased prediction keeps its row as a tombstone: id, time, class and model version stay for anonymous counts,
/// everything that came from the visitor is cleared.
pub mod prediction {
    use sea_orm::entity::prelude::*;

    /// A row of `predictions`.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
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
        /// The on-device answer, if one was sent along.
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
    }

    /// No relations are followed through the ORM.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Every step of feedback ever taken, in order. Append-only; erasure keeps it, as it says nothing about the visitor.
pub mod feedback {
    use sea_orm::entity::prelude::*;

    /// A row of `feedback`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
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
