-- Which turns refer to which attached file. The files lie beside the database, each once, under a
-- name made of what is in it; one that no row here names is deleted after a while.

CREATE TABLE attachments (
    id TEXT NOT NULL,
    turn TEXT NOT NULL,
    PRIMARY KEY (id, turn)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachments_of_turn ON attachments (turn);
