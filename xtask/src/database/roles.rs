//! Who may do what in the database: its owner migrates, the apps read and write rows, backups read.
//! The SQL that makes it so, and a look at whether it is so. PostgreSQL alone has roles.

use anyhow::{Context as _, Result};
use sqlx::postgres::PgConnection;

use super::Link;
use crate::migrations::{Engine, own_tables};
use crate::policy;

/// What is wanted in a database, and what is otherwise there.
#[derive(Debug)]
pub(crate) struct Roles {
    /// For a superuser, in that database. Running it twice does no harm.
    pub(crate) sql: String,
    /// What is missing or too much.
    pub(crate) differences: Vec<String>,
}

/// Reads a database. Writes nothing.
pub(crate) async fn read(connection: &mut PgConnection, names: &policy::Roles) -> Result<Roles> {
    let database: String = sqlx::query_scalar("select quote_ident(current_database())")
        .fetch_one(&mut *connection)
        .await
        .context("failed to ask the database for its name")?;
    let missing: Vec<String> = sqlx::query_scalar(MISSING)
        .bind(vec![&*names.owner, &*names.app, &*names.backup])
        .fetch_all(&mut *connection)
        .await
        .context("failed to look for the roles")?;
    let differences = if missing.is_empty() {
        sqlx::query_scalar(DIFFERENCES)
            .bind(&*names.owner)
            .bind(&*names.app)
            .bind(&*names.backup)
            .fetch_all(connection)
            .await
            .context("failed to read what the roles may do")?
    } else {
        missing
    };
    Ok(Roles {
        sql: sql(&database, names),
        differences,
    })
}

/// Makes tables of the tool by `work`, in a transaction with what takes them from the app: there is no
/// moment at which it may write them.
///
/// # Errors
/// Those of the work, and what the database says. The link is to be closed then.
pub(crate) async fn keep<T>(
    link: &mut Link,
    names: &policy::Roles,
    work: impl AsyncFnOnce(&mut Link) -> Result<T>,
) -> Result<T> {
    if link.engine() == Engine::Sqlite {
        return work(link).await;
    }
    let failed = "failed to keep the tables of the migrator from the apps";
    link.execute("begin").await.context(failed)?;
    let made = work(link).await?;
    let keep = KEEP.replace("{app}", &names.app);
    link.execute(&keep).await.context(failed)?;
    link.execute("commit").await.context(failed)?;
    Ok(made)
}

/// The names are plain ones, see [`policy::Roles`].
fn sql(database: &str, names: &policy::Roles) -> String {
    SQL.trim_start()
        .replace("{keep}", KEEP)
        .replace("{database}", database)
        .replace("{owner}", &names.owner)
        .replace("{app}", &names.app)
        .replace("{backup}", &names.backup)
}

const SQL: &str = "
-- Least privilege in {database}. Run it as a superuser, in this database. Passwords are not in it.
do $$
declare name text;
begin
    foreach name in array array['{owner}', '{app}', '{backup}'] loop
        if not exists (select from pg_roles where rolname = name) then
            execute format('create role %I login', name);
        end if;
        execute format('alter role %I nosuperuser nocreatedb nocreaterole noreplication nobypassrls', name);
    end loop;
end $$;

-- Nobody may do anything by default.
revoke all on database {database} from public;
revoke all on schema public from public;
grant connect on database {database} to {owner}, {app}, {backup};

-- {owner} migrates: the schema is its own, with everything in it.
grant create, temporary on database {database} to {owner};
alter schema public owner to {owner};
do $$
declare statement text;
begin
    for statement in
        select format('alter table %s owner to {owner}', c.oid::regclass) from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
            and not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('a', 'i', 'e'))
        union all
        select format('alter routine %s owner to {owner}', p.oid::regprocedure) from pg_proc p
        where p.pronamespace = 'public'::regnamespace
            and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
        union all
        select format('alter type %s owner to {owner}', t.oid::regtype) from pg_type t
        where t.typnamespace = 'public'::regnamespace and t.typtype in ('e', 'd')
            and not exists (select from pg_depend d where d.objid = t.oid and d.deptype = 'e')
    loop
        execute statement;
    end loop;
end $$;

-- {app} reads and writes rows, now and of tables to come; it makes nothing.
revoke all on database {database} from {app};
revoke all on schema public from {app};
revoke all on all tables in schema public from {app};
grant connect on database {database} to {app};
grant usage on schema public to {app};
grant select, insert, update, delete on all tables in schema public to {app};
grant usage, select on all sequences in schema public to {app};
alter default privileges for role {owner} in schema public
    grant select, insert, update, delete on tables to {app};
alter default privileges for role {owner} in schema public
    grant usage, select on sequences to {app};
-- Which environment this is, and what was applied, it only reads. Whoever makes such a table later
-- takes it from it at once.
{keep}

-- {backup} reads everything.
grant pg_read_all_data to {backup};
";

/// Takes the tables of the tool from the app, to which default privileges give each new table. Where
/// one role is owner and app, there is nobody to keep them from.
const KEEP: &str = concat!(
    "do $$
declare ours regclass;
begin
    for ours in
        select c.oid from pg_class c join pg_roles r on r.rolname = '{app}'
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname in ",
    own_tables!(sql),
    "
            and c.relowner <> r.oid
            and has_table_privilege(r.oid, c.oid, 'insert, update, delete, truncate, references, trigger')
    loop
        execute format('revoke insert, update, delete, truncate, references, trigger on %s from {app}', ours);
    end loop;
end $$;"
);

const MISSING: &str =
    "select format('the role `%s` is missing', name) from unnest($1::text[]) as name
     where not exists (select from pg_roles where rolname = name)";

/// `$1` owner, `$2` app, `$3` backup. `has_…_privilege` counts what is inherited and what is
/// granted to everybody.
const DIFFERENCES: &str = concat!(
    "with tables as (
    select oid, relname::text as name, pg_get_userbyid(relowner)::text as owner,
        relkind in ('r', 'p') as has_rows,
        relname in ",
    own_tables!(sql),
    " as is_ours
    from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
),
rights as (
    select t.name, t.is_ours, t.has_rows, r.name as role, p.name as privilege,
        has_table_privilege(r.name, t.oid, p.name) as has
    from tables t, unnest(array[$2, $3]) as r(name),
        unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as p(name)
),
found(line) as (
    select format('too much: `%s` is superuser, or may make databases or roles, replicate, or bypass row security', rolname)
    from pg_roles where rolname in ($1, $2, $3)
        and (rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls)
    union all
    select format('too much: `%s` is a member of `%s`', member, of)
    from unnest(array[$2, $3]) as member, unnest(array[$1, $2, $3]) as of
    where member <> of and pg_has_role(member, of, 'member')
    union all
    select format('too much: `%s` may %s in the database', role, privilege)
    from unnest(array[$2, $3]) as role, unnest(array['create', 'temporary']) as privilege
    where has_database_privilege(role, current_database(), privilege)
    union all
    select format('too much: `%s` may create in the schema public', role)
    from unnest(array[$2, $3]) as role where has_schema_privilege(role, 'public', 'create')
    union all
    select format('missing: `%s` may not connect', role)
    from unnest(array[$1, $2, $3]) as role where not has_database_privilege(role, current_database(), 'connect')
    union all
    select format('missing: `%s` may not create in the schema public', $1::text)
    where not has_schema_privilege($1, 'public', 'create')
    union all
    select format('missing: `%s` may not use the schema public', role)
    from unnest(array[$2, $3]) as role where not has_schema_privilege(role, 'public', 'usage')
    union all
    select format('missing: `%s` is owned by `%s`, not by `%s`', name, owner, $1::text)
    from tables where owner <> $1
    union all
    select format('missing: `%s` may not %s `%s`', role, privilege, name) from rights
    where not has and (privilege = 'select'
        or role = $2 and has_rows and not is_ours and privilege in ('insert', 'update', 'delete'))
    union all
    select format('too much: `%s` may %s `%s`', role, privilege, name) from rights
    where has and privilege <> 'select'
        and (role = $3 or is_ours or privilege in ('truncate', 'references', 'trigger'))
)
select line from found order by line"
);
