//! A PostgreSQL database for one test.

use sea_orm::{ConnectionTrait, Database as Connection};
use uuid::Uuid;

/// A database of its own on the server that `GOURMETGRAM_TEST_POSTGRES_URL` names.
pub struct PostgresDatabase {
    pub url: String,
    server: String,
    name: String,
}

impl PostgresDatabase {
    pub async fn make() -> Self {
        let server = std::env::var("GOURMETGRAM_TEST_POSTGRES_URL")
            .expect("GOURMETGRAM_TEST_POSTGRES_URL names no PostgreSQL: `make test-rust` starts one");
        let name = format!("test_{}", Uuid::now_v7().simple());
        let connection = Connection::connect(&server).await.unwrap();
        connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        Self { url: url.into(), server, name }
    }

    /// Removes it, whoever is still connected.
    pub async fn remove(self) {
        let connection = Connection::connect(&self.server).await.unwrap();
        connection.execute_unprepared(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await.unwrap();
    }
}
