-- Rows of people and agents are JSON of the domain types, with columns only for what is sought,
-- sorted or joined by: a field that is added to a type and has a default needs no migration. A turn
-- or an item that cannot be read still tells where it belongs; settings and values count as absent.

CREATE TABLE projects (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX projects_path ON projects (path) WHERE removed = 0;

CREATE TABLE threads (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    archived INTEGER NOT NULL,
    pinned INTEGER NOT NULL,
    busy INTEGER NOT NULL,          -- a turn prepares or runs
    active_at INTEGER NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0,
    seq INTEGER NOT NULL,           -- of the last batch, whether or not it changed this row
    last_ordinal INTEGER NOT NULL DEFAULT 0,
    last_position INTEGER NOT NULL DEFAULT 0,
    json TEXT NOT NULL
) STRICT;
CREATE INDEX threads_recent ON threads (archived, active_at, id) WHERE removed = 0;
CREATE INDEX threads_of_project ON threads (project, archived, active_at, id) WHERE removed = 0;
CREATE INDEX threads_pinned ON threads (active_at) WHERE removed = 0 AND archived = 0 AND pinned = 1;
CREATE INDEX threads_busy ON threads (active_at) WHERE removed = 0 AND archived = 0 AND busy = 1;
CREATE INDEX threads_removed ON threads (id) WHERE removed = 1;

CREATE TABLE turns (
    id TEXT PRIMARY KEY,
    thread TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    open INTEGER NOT NULL,          -- not terminal
    json TEXT NOT NULL
) STRICT;
CREATE INDEX turns_of_thread ON turns (thread, ordinal);
CREATE INDEX turns_open ON turns (thread, ordinal) WHERE open = 1;

CREATE TABLE items (
    id TEXT PRIMARY KEY,
    thread TEXT NOT NULL,
    turn TEXT NOT NULL,
    position INTEGER NOT NULL,
    running INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT;
CREATE INDEX items_of_thread ON items (thread, position);
CREATE INDEX items_of_turn ON items (turn, position);

-- The whole of a text that is shortened in the row of its owner, an item or a turn.
CREATE TABLE bodies (
    owner TEXT PRIMARY KEY,
    text TEXT NOT NULL
) STRICT;

-- What an item's text grew by since its row was last written.
CREATE TABLE chunks (
    item TEXT NOT NULL,
    at INTEGER NOT NULL,            -- UTF-16 units
    text TEXT NOT NULL,
    PRIMARY KEY (item, at)
) STRICT;

CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    thread TEXT NOT NULL,
    turn TEXT NOT NULL,
    open INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT;
CREATE INDEX requests_open ON requests (thread, created_at) WHERE open = 1;
CREATE INDEX requests_of_turn ON requests (turn, created_at);

CREATE TABLE provider_settings (
    provider TEXT PRIMARY KEY,
    json TEXT NOT NULL
) STRICT;

CREATE TABLE kv (
    key TEXT PRIMARY KEY,
    json TEXT NOT NULL
) STRICT;

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    label TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER,
    revoked INTEGER NOT NULL DEFAULT 0
) STRICT;
