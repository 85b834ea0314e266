// The tables, as numbered steps: step n takes a state of version n to n + 1. A step that has landed
// never changes.
#pragma once

#include <array>

namespace pep381d::schema {

inline constexpr std::array steps{
    R"sql(
CREATE TABLE notes(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;

CREATE TABLE projects(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  display TEXT,             -- NULL: as name
  serial INTEGER NOT NULL,
  page INTEGER NOT NULL,    -- 0 none yet, 1 published, 2 published and in the root index
  etag TEXT,
  status TEXT, reason TEXT, -- PEP 792
  meta TEXT, members TEXT   -- what else the master said, as it said it
);

-- Clustered by project, so that a project's files are read and written together.
CREATE TABLE files(
  project INTEGER NOT NULL,
  name TEXT NOT NULL,
  position INTEGER NOT NULL, -- in the master's order
  path,                      -- BLOB(32): packages/aa/bb/rest/NAME of these bytes in hexadecimal; else TEXT
  url,                       -- INTEGER: origins.id + the escaped path; else TEXT
  digests,                   -- BLOB(32): one SHA-256; else TEXT `md5=hex sha512=hex`; NULL: none
  size INTEGER,
  held INTEGER NOT NULL,     -- bit 0: the file is in the tree, bit 1: its .metadata is
  metadata,                  -- NULL: not offered, 1: offered, BLOB(32): with this SHA-256
  uploaded INTEGER,          -- microseconds
  requires TEXT,
  yanked,                    -- NULL: no, 1: yes, TEXT: the reason
  provenance TEXT,
  members TEXT,              -- NULL: just what PyPI writes, made again from the columns
  PRIMARY KEY(project, name)
) WITHOUT ROWID;

CREATE TABLE origins(id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE);

CREATE TABLE queue(
  name TEXT PRIMARY KEY,
  display TEXT,
  serial INTEGER NOT NULL,
  loss INTEGER NOT NULL,
  last_loss INTEGER NOT NULL,
  since INTEGER NOT NULL,       -- when the poll began that put it here
  soon INTEGER NOT NULL,        -- 1: an event or a retry, 0: the backlog of a list
  not_before INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  first_failed INTEGER, fault INTEGER, cause TEXT,
  loss_seen INTEGER,
  stale_since INTEGER,
  absent INTEGER,
  candidate INTEGER NOT NULL DEFAULT 0,
  held INTEGER NOT NULL DEFAULT 0,
  allowed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX queue_soon ON queue(not_before) WHERE soon = 1;
CREATE INDEX queue_candidates ON queue(held) WHERE candidate = 1;

-- after_root: of a dropped project: the count of changes (note root_changes) that the root index must show before.
CREATE TABLE removals(path TEXT PRIMARY KEY, not_before INTEGER NOT NULL, after_root INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX removals_due ON removals(not_before);
CREATE TABLE intended(project TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY(project, path)) WITHOUT ROWID;
CREATE TABLE shared(path TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE polls(began INTEGER PRIMARY KEY);
CREATE TABLE skipped(project TEXT NOT NULL, file TEXT NOT NULL, cause TEXT NOT NULL,
                     PRIMARY KEY(project, file)) WITHOUT ROWID;
)sql",
    R"sql(
-- All that the root index and the comparison with the master's list ask for, in the order of names: they are read
-- without the rows, which lie in the order in which projects were first published.
CREATE INDEX projects_shown ON projects(name, serial, page, display) WHERE page > 0;
CREATE INDEX queue_absent ON queue(name) WHERE absent IS NOT NULL;
)sql",
    R"sql(
-- When a project was last found to be in the tree as the state says. A table of its own, so that a first sync writes
-- nothing for it; a project without a row was never verified.
CREATE TABLE verified(project INTEGER PRIMARY KEY, at INTEGER NOT NULL);
CREATE INDEX verified_at ON verified(at, project);
)sql",
    R"sql(
-- What went, when and why. It answers for years, perhaps to a court: rows are added, never changed.
CREATE TABLE removal_record(
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,      -- as name_of(RemovalKind) has it
  project TEXT NOT NULL,
  serial INTEGER NOT NULL, -- of the master's event, else of its page; 0: of neither
  cause TEXT NOT NULL,
  files TEXT NOT NULL      -- their paths, one a line
);
CREATE TRIGGER removal_record_stays BEFORE DELETE ON removal_record
BEGIN SELECT RAISE(ABORT, 'the record of removals is only added to'); END;
CREATE TRIGGER removal_record_is_final BEFORE UPDATE ON removal_record
BEGIN SELECT RAISE(ABORT, 'the record of removals is only added to'); END;
)sql",
    R"sql(
-- A journal by time is asked with an overlap: the rows of it that were handled.
CREATE TABLE journal_rows(mark TEXT PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;
-- The master's own last-modified, where that is before the poll.
ALTER TABLE polls ADD COLUMN shows INTEGER;
)sql",
    R"sql(
-- Pages whose HTML is the master's own, which nothing here can make again: what proves them. A table of its own, so that
-- mirrors that make their pages write nothing for it.
CREATE TABLE copies(
  project INTEGER PRIMARY KEY,
  size INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  signature BLOB            -- the master's; NULL: it gives none
);
)sql",
    R"sql(
-- Since when its page has answered 404, and how many looks have found that: other failures are no evidence.
ALTER TABLE queue ADD COLUMN gone_since INTEGER;
ALTER TABLE queue ADD COLUMN gone_looks INTEGER NOT NULL DEFAULT 0;
)sql",
    R"sql(
-- That came with the bytes of a file without a digest; NULL: it has one, or nothing came.
ALTER TABLE files ADD COLUMN etag TEXT;
)sql",
    R"sql(
-- Whose page has dropped the file: the grace of its readers ends with the project.
ALTER TABLE removals ADD COLUMN project TEXT;
)sql",
    R"sql(
-- The paths of files in the tree whose names do not speak of their project: so whose a path is, is found.
CREATE TABLE misnamed(path TEXT NOT NULL, project INTEGER NOT NULL, PRIMARY KEY(path, project)) WITHOUT ROWID;
DROP TABLE shared;
)sql",
};

// The number of the step that makes that table.
inline constexpr std::size_t misnamed_since = 10;

}  // namespace pep381d::schema
