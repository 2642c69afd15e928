-- A session is one thread's: two that wrote into it would each take the other's words for their own.
ALTER TABLE threads ADD COLUMN provider TEXT;
ALTER TABLE threads ADD COLUMN session TEXT;
UPDATE threads SET provider = json ->> '$.provider', session = json ->> '$.session'
    WHERE removed = 0 AND json_valid(json);
-- Should two have had one after all, the last active goes on with it.
UPDATE threads SET session = NULL WHERE session IS NOT NULL AND EXISTS (
    SELECT 1 FROM threads AS other WHERE other.provider = threads.provider
        AND other.session = threads.session
        AND (other.active_at, other.id) > (threads.active_at, threads.id));
CREATE UNIQUE INDEX threads_session ON threads (provider, session)
    WHERE removed = 0 AND session IS NOT NULL;
