//! What is kept: rows, SQL, migrations, the committer.
