-- Full-text search over what people and agents said. The index holds no text of its own: what was
-- said is read where it is stored. What was stored before is read in afterwards, a little at a time.
CREATE TABLE search_rows (
    id INTEGER PRIMARY KEY,         -- ascending with time; of what was read in afterwards below zero
    owner TEXT NOT NULL UNIQUE,     -- a turn or an item
    thread TEXT NOT NULL,
    turn TEXT NOT NULL,
    mark INTEGER NOT NULL           -- tells whether the text is another than what was indexed
) STRICT;
CREATE VIRTUAL TABLE search USING fts5(
    text, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2', prefix = '3'
);
