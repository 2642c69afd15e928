-- What a person decided about a project's own configuration, and what it would start.
ALTER TABLE projects ADD COLUMN trust TEXT NOT NULL DEFAULT 'undecided';
ALTER TABLE projects ADD COLUMN fingerprint TEXT;
