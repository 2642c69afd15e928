//! Settings of providers, and small values by name.

use domain::{ProviderId, ProviderSettings};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::row::{decode, encode, execute, first};
use crate::writer::Order;
use crate::{Store, StoreError};

impl Store {
    /// Reads a provider's settings; `None` when a person never changed them, or when what is
    /// stored has another shape, of which the log tells.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn provider_settings(
        &self,
        provider: &ProviderId,
    ) -> Result<Option<ProviderSettings>, StoreError> {
        let sql = "SELECT provider AS id, json FROM provider_settings WHERE provider = ?";
        self.get(sql, "settings", provider.as_str().to_owned()).await
    }

    /// Stores a provider's settings.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn put_provider_settings(
        &self,
        provider: &ProviderId,
        settings: &ProviderSettings,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO provider_settings (provider, json) VALUES (?1, ?2)
            ON CONFLICT (provider) DO UPDATE SET json = ?2";
        self.put(sql, provider.as_str().to_owned(), encode(settings)?).await
    }

    /// Reads a value by name; `None` when there is none, or when what is stored has another shape,
    /// of which the log tells: who asks can do without it, and stores it again. Whoever must not,
    /// asks [`Store::has_value`].
    ///
    /// # Errors
    /// What the disk says.
    pub async fn value<T>(&self, key: &str) -> Result<Option<T>, StoreError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.get("SELECT key AS id, json FROM kv WHERE key = ?", "value", key.to_owned()).await
    }

    /// Whether there is a value of a name, whatever shape it has.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn has_value(&self, key: &str) -> Result<bool, StoreError> {
        let key = key.to_owned();
        let sql = "SELECT 1 FROM kv WHERE key = ?";
        self.readers.call(move |conn| Ok(first(conn, sql, [&key], |_| Ok(()))?.is_some())).await
    }

    /// Stores a value by name.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it cannot be written as JSON; else what the disk says.
    pub async fn put_value<T>(&self, key: &str, value: &T) -> Result<(), StoreError>
    where
        T: Serialize + Sync,
    {
        let sql = "INSERT INTO kv (key, json) VALUES (?1, ?2)
            ON CONFLICT (key) DO UPDATE SET json = ?2";
        self.put(sql, key.to_owned(), encode(value)?).await
    }

    async fn get<T>(
        &self,
        sql: &'static str,
        what: &'static str,
        key: String,
    ) -> Result<Option<T>, StoreError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.readers
            .call(move |conn| {
                Ok(first(conn, sql, [&key], |row| decode(row, "json", what))?.flatten())
            })
            .await
    }

    async fn put(&self, sql: &'static str, key: String, json: String) -> Result<(), StoreError> {
        let order = Order { bytes: json.len(), ..Order::DURABLE };
        self.writer.call(order, move |conn| execute(conn, sql, (&key, &json)).map(drop)).await
    }
}
