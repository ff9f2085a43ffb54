//! What a statement can do to a database in use: the one table that findings, their help and
//! `docs/migrations.md` are made of. Locks and work are measured on PostgreSQL 15, not remembered.

/// What a statement may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Nobody waits longer than for the lock.
    Safe,
    /// Reads or rewrites a whole table while others wait for it.
    Heavy,
    /// Loses rows, or what the running release relies on.
    Destructive,
}

impl Class {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Class::Safe => "safe",
            Class::Heavy => "heavy",
            Class::Destructive => "destructive",
        }
    }
}

/// What it does to the rows of a table that was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    None,
    Scan,
    Rewrite,
    /// Depends on more than the statement, so that a measurement of it alone proves nothing.
    Depends,
}

impl Work {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Work::None => "none",
            Work::Scan => "scan",
            Work::Rewrite => "rewrite",
            Work::Depends => "depends",
        }
    }
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Operation {
    /// As people write it.
    pub(crate) statement: &'static str,
    pub(crate) class: Class,
    /// The strongest lock on a table that was there before.
    pub(crate) lock: &'static str,
    pub(crate) work: Work,
    /// What it costs or loses, as the end of a sentence.
    pub(crate) why: &'static str,
    /// What to do instead.
    pub(crate) instead: &'static str,
}

/// Declares the operations and their rows together, so that none is without the other.
macro_rules! operations {
    ($($op:ident, $class:ident, $lock:literal, $work:ident, $statement:literal, $why:literal, $instead:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Op { $($op,)* }

        /// In the order of [`Op`].
        pub(crate) static OPERATIONS: &[Operation] = &[$(Operation {
            statement: $statement,
            class: Class::$class,
            lock: $lock,
            work: Work::$work,
            why: $why,
            instead: $instead,
        },)*];
    };
}

impl Op {
    pub(crate) fn row(self) -> &'static Operation {
        &OPERATIONS[self as usize]
    }
}

operations! {
    DropTable, Destructive, "ACCESS EXCLUSIVE", None, "DROP TABLE",
        "loses every row, and fails whatever still reads it",
        "drop it in a release after the one that stopped using it, with a verified backup";
    DropColumn, Destructive, "ACCESS EXCLUSIVE", None, "DROP COLUMN",
        "loses the column's values, and fails whatever still reads it",
        "drop it in a release after the one that stopped using it, with a verified backup";
    DropSchema, Destructive, "ACCESS EXCLUSIVE", None, "DROP SCHEMA, DATABASE, EXTENSION or SERVER",
        "loses all that is in it",
        "drop what it holds one by one, in a release after the one that stopped using it";
    DropType, Destructive, "ACCESS EXCLUSIVE", None, "DROP TYPE, DOMAIN or SEQUENCE, or an attribute of a type",
        "fails whatever still names it, and with CASCADE loses the columns of that type",
        "move its columns to another type first, and drop it in a later release";
    DropView, Destructive, "ACCESS EXCLUSIVE", None, "DROP VIEW or MATERIALIZED VIEW",
        "fails whatever still reads it",
        "drop it in a release after the one that stopped reading it, or create it anew in the same file";
    DropCascade, Destructive, "ACCESS EXCLUSIVE", None, "DROP … CASCADE",
        "drops also what the statement does not name",
        "name what is to be dropped, each with a statement of its own";
    DropOwned, Destructive, "ACCESS EXCLUSIVE", None, "DROP OWNED",
        "drops whatever the role owns, which no file says",
        "name what is to be dropped, each with a statement of its own";
    Truncate, Destructive, "ACCESS EXCLUSIVE", Rewrite, "TRUNCATE",
        "loses every row, also for readers that are under way",
        "delete in batches outside the migration, with a verified backup";
    DeleteAll, Destructive, "ROW EXCLUSIVE", Depends, "DELETE without WHERE",
        "loses every row in one transaction",
        "say which rows with WHERE, and delete many of them in batches outside the migration";
    UpdateAll, Destructive, "ROW EXCLUSIVE", Depends, "UPDATE without WHERE",
        "overwrites every row in one transaction",
        "say which rows with WHERE, and change many of them in batches outside the migration";
    Rename, Destructive, "ACCESS EXCLUSIVE", None, "RENAME or SET SCHEMA of a table, column, view, type, enum value or schema",
        "fails the release that is still running, which knows the old name",
        "add the new one beside it, copy, and drop the old one in a later release; or keep the old name as a view";
    LossyType, Destructive, "ACCESS EXCLUSIVE", Rewrite, "ALTER COLUMN … TYPE to a type that holds less",
        "rounds or cuts what is stored",
        "add a column of the new type, copy with a rule that says what may be lost, and drop the old one in a later release";
    DisableTrigger, Destructive, "SHARE ROW EXCLUSIVE", None, "DISABLE TRIGGER or RULE, session_replication_role",
        "lets rows in that the triggers and foreign keys would refuse",
        "write the statement so that it may run with them";
    RowSecurity, Destructive, "ACCESS EXCLUSIVE", None, "ENABLE, DISABLE or FORCE ROW LEVEL SECURITY of an existing table",
        "shows rows to those who must not see them, or hides them from those who must",
        "create the policies first, and say which roles it changes";
    GrantPublic, Destructive, "none", None, "GRANT … TO PUBLIC",
        "opens it to every role there is and will be",
        "grant to the roles that need it";
    TrackingTable, Destructive, "ROW EXCLUSIVE", Depends, "DML on _sqlx_migrations, _env_marker, _migration_journal or _migration_backfill",
        "changes what the migrator believes of this database",
        "leave the one to the migrator, and mark a database when it is prepared";
    SystemCatalog, Destructive, "ROW EXCLUSIVE", Depends, "DML on a system catalog",
        "changes what the server believes of its own files, and nothing checks it",
        "use the statement that makes the change, and leave the catalogs to the server";
    Opaque, Destructive, "unknown", Depends, "DO with EXECUTE, CALL, EXECUTE",
        "does what cannot be read here",
        "write the statements out";
    CreateIndex, Heavy, "SHARE", Scan, "CREATE INDEX on an existing table",
        "lets nobody write while it reads the table",
        "CREATE INDEX CONCURRENTLY in a `-- no-transaction` file of its own";
    Reindex, Heavy, "SHARE", Scan, "REINDEX",
        "lets nobody write while it reads the table",
        "REINDEX CONCURRENTLY in a `-- no-transaction` file of its own";
    AddColumnVolatile, Heavy, "ACCESS EXCLUSIVE", Rewrite, "ADD COLUMN with a volatile default",
        "rewrites the table while nobody can read it",
        "add the column without a default, SET DEFAULT, and fill old rows in batches";
    AddColumnSerial, Heavy, "ACCESS EXCLUSIVE", Rewrite, "ADD COLUMN serial or IDENTITY",
        "rewrites the table while nobody can read it",
        "add a nullable column, create a sequence, SET DEFAULT nextval, and fill old rows in batches";
    AddColumnStored, Heavy, "ACCESS EXCLUSIVE", Rewrite, "ADD COLUMN … GENERATED … STORED, or SET EXPRESSION",
        "rewrites the table while nobody can read it",
        "compute it in a view, or fill an ordinary column by a trigger";
    AddColumnDomain, Heavy, "ACCESS EXCLUSIVE", Rewrite, "ADD COLUMN of a domain with constraints",
        "rewrites the table to check each row, while nobody can read it",
        "use the domain's base type, and a CHECK that is NOT VALID at first";
    AddColumnCheck, Heavy, "ACCESS EXCLUSIVE", Scan, "ADD COLUMN … CHECK",
        "reads the table while nobody else can",
        "ADD COLUMN alone, then ADD CONSTRAINT … CHECK … NOT VALID, then VALIDATE CONSTRAINT in a later file";
    AddColumnUnique, Heavy, "ACCESS EXCLUSIVE", Scan, "ADD COLUMN … UNIQUE or PRIMARY KEY",
        "builds an index while nobody can read the table",
        "ADD COLUMN alone, CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … USING INDEX";
    AddColumnReferences, Heavy, "ACCESS EXCLUSIVE", Scan, "ADD COLUMN … DEFAULT … REFERENCES",
        "reads both tables while nobody can read the one",
        "ADD COLUMN alone, then ADD FOREIGN KEY … NOT VALID, then VALIDATE CONSTRAINT in a later file";
    AddColumnRequired, Heavy, "ACCESS EXCLUSIVE", Scan, "ADD COLUMN … NOT NULL without a default",
        "fails where there are rows, after it has read them",
        "give it a constant default; or add it nullable, fill it in batches, and set NOT NULL by a validated CHECK";
    SetNotNull, Heavy, "ACCESS EXCLUSIVE", Scan, "SET NOT NULL",
        "reads the table while nobody else can",
        "ADD CONSTRAINT … CHECK (column IS NOT NULL) NOT VALID, VALIDATE CONSTRAINT in a later file, then SET NOT NULL reads nothing";
    AddCheck, Heavy, "ACCESS EXCLUSIVE", Scan, "ADD CONSTRAINT … CHECK",
        "reads the table while nobody else can",
        "add it NOT VALID, and VALIDATE CONSTRAINT in a later file";
    AddForeignKey, Heavy, "SHARE ROW EXCLUSIVE", Scan, "ADD FOREIGN KEY",
        "reads both tables while nobody can write to either",
        "add it NOT VALID, and VALIDATE CONSTRAINT in a later file";
    AddUnique, Heavy, "ACCESS EXCLUSIVE", Scan, "ADD UNIQUE or PRIMARY KEY",
        "builds an index while nobody can read the table",
        "CREATE UNIQUE INDEX CONCURRENTLY in a file of its own, then ADD CONSTRAINT … USING INDEX";
    AddKeyNullable, Heavy, "ACCESS EXCLUSIVE", Scan, "ADD PRIMARY KEY USING INDEX on nullable columns",
        "reads the table for NULLs while nobody else can",
        "set the columns NOT NULL first, by a validated CHECK";
    AddExclude, Heavy, "ACCESS EXCLUSIVE", Scan, "ADD EXCLUDE",
        "builds an index while nobody can read the table, and cannot be NOT VALID",
        "make a new table with the constraint and move the rows over in batches";
    ValidateHeld, Heavy, "ACCESS EXCLUSIVE", Depends, "VALIDATE CONSTRAINT after a stronger lock in the same transaction",
        "reads the table while the lock of the statement before it is held",
        "put VALIDATE CONSTRAINT into a later file";
    ChangeType, Heavy, "ACCESS EXCLUSIVE", Rewrite, "ALTER COLUMN … TYPE that rewrites",
        "rewrites the table and its indexes while nobody can read it",
        "add a column of the new type, write both, fill it in batches, and drop the old one in a later release";
    ChangeTypeChecked, Heavy, "ACCESS EXCLUSIVE", Scan, "ALTER COLUMN … TYPE of a column with a CHECK or an index to rebuild",
        "rewrites no row, but checks or indexes each one anew while nobody can read the table",
        "drop the constraint first and add it again NOT VALID; build the index again CONCURRENTLY";
    ChangeTimestamp, Heavy, "ACCESS EXCLUSIVE", Rewrite, "ALTER COLUMN … TYPE timestamp to timestamptz",
        "rewrites the table unless the session's time zone is UTC",
        "SET LOCAL timezone = 'UTC' before it in the same file";
    ChangeCollation, Heavy, "ACCESS EXCLUSIVE", Scan, "ALTER COLUMN … TYPE … COLLATE",
        "builds the column's indexes anew while nobody can read the table",
        "add a column with the new collation, fill it in batches, and drop the old one in a later release";
    BulkInDdl, Heavy, "ROW EXCLUSIVE", Depends, "bulk INSERT, UPDATE, DELETE, MERGE or CREATE … AS in a file that also changes tables",
        "runs for as long as there are rows, in one transaction with the locks of the other statements",
        "put it into a file of its own, or into batches outside the migration";
    Partition, Heavy, "ACCESS EXCLUSIVE", Depends, "CREATE TABLE … PARTITION OF, or of SPLIT and MERGE",
        "locks the partitioned table, and reads its default partition while it does",
        "CREATE TABLE, add a CHECK that says what the partition holds, then ATTACH PARTITION";
    AttachPartition, Heavy, "ACCESS EXCLUSIVE", Depends, "ATTACH PARTITION",
        "reads the new partition, and the default one, while nobody can use them",
        "add a valid CHECK that says what the partition holds first: then nothing is read";
    DetachPartition, Heavy, "ACCESS EXCLUSIVE", Depends, "DETACH PARTITION",
        "locks the partitioned table and every partition of it that is in use",
        "DETACH PARTITION … CONCURRENTLY in a `-- no-transaction` file of its own";
    RefreshView, Heavy, "ACCESS EXCLUSIVE", Rewrite, "REFRESH MATERIALIZED VIEW",
        "lets nobody read the view until it is made again",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index, outside the migration";
    RewriteTable, Heavy, "ACCESS EXCLUSIVE", Rewrite, "VACUUM FULL, CLUSTER, SET LOGGED, SET UNLOGGED, SET TABLESPACE, SET ACCESS METHOD",
        "rewrites the table while nobody can read it",
        "leave it to the operators of the database: pg_repack does it without the lock";
    LockTable, Heavy, "as asked", Depends, "LOCK TABLE",
        "keeps others out until the transaction ends",
        "leave it out: each statement takes the lock it needs";
    DomainConstraint, Heavy, "SHARE", Scan, "ALTER DOMAIN … ADD or VALIDATE CONSTRAINT, SET NOT NULL",
        "reads each table that has a column of the domain, while nobody can write to it",
        "add it NOT VALID for new rows; validate it where the tables are small, and say so";
    AddColumn, Safe, "ACCESS EXCLUSIVE", None, "ADD COLUMN, nullable or with a constant or stable default",
        "is a change of the catalog alone", "nothing: with a lock_timeout it waits for nobody long";
    NotValid, Safe, "ACCESS EXCLUSIVE", None, "ADD CONSTRAINT … NOT VALID or USING INDEX",
        "is a change of the catalog alone", "nothing: with a lock_timeout it waits for nobody long";
    Validate, Safe, "SHARE UPDATE EXCLUSIVE", Scan, "VALIDATE CONSTRAINT in a file of its own",
        "reads the table, and locks out nobody who reads or writes", "nothing";
    FreeType, Safe, "ACCESS EXCLUSIVE", None, "ALTER COLUMN … TYPE that rewrites nothing: varchar made wider or text, more digits of a numeric",
        "is a change of the catalog alone", "nothing: with a lock_timeout it waits for nobody long";
    DropIndex, Safe, "ACCESS EXCLUSIVE", None, "DROP INDEX, DROP CONSTRAINT",
        "is a change of the catalog alone; what read by the index is slow from now on", "DROP INDEX CONCURRENTLY waits for nobody";
    CreateTrigger, Safe, "SHARE ROW EXCLUSIVE", None, "CREATE TRIGGER",
        "is a change of the catalog alone", "nothing: with a lock_timeout it waits for nobody long";
    AddValue, Safe, "none", None, "ALTER TYPE … ADD VALUE",
        "is a change of the catalog alone", "use the value in a later file: not in the same transaction";
}

/// The table as a page of the documentation, without its title.
pub(crate) fn page() -> String {
    use std::fmt::Write as _;
    let mut page = String::from(
        "What the gate `migrations` says of statements on PostgreSQL, with the strongest lock on a table that was there before and what is done to its rows meanwhile, both measured on PostgreSQL 15.\n\n\
         - A **destructive** statement needs `-- destructive: reason` and `-- contract-of: VERSION` above it: the migration, or the release, since which nothing uses what is lost.\n\
         - A **heavy** one needs `-- heavy: reason`.\n\
         - In the comments at the top of a file these notes hold for all of it. A note that covers nothing is red.\n\
         - What happens to a table that the same file creates is safe, whatever it is.\n\
         - `BEGIN`, `COMMIT`, `ROLLBACK`, `SAVEPOINT` and their like are red, and no note makes them otherwise: each file is one transaction, which the migrator begins and ends.\n",
    );
    for class in [Class::Destructive, Class::Heavy, Class::Safe] {
        let _ = write!(
            page,
            "\n## {}\n\n| statement | lock | rows | what happens | instead |\n| --- | --- | --- | --- | --- |\n",
            class.name()
        );
        for row in OPERATIONS.iter().filter(|row| row.class == class) {
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} | {} |",
                row.statement,
                row.lock,
                row.work.name(),
                row.why,
                row.instead
            );
        }
    }
    page
}
