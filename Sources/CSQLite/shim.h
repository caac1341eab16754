#pragma once
#include <sqlite3.h>

// SQLITE_TRANSIENT and sqlite3_db_config are a cast and a variadic function: neither is visible from Swift.
static inline sqlite3_destructor_type apus_sqlite_transient(void) { return SQLITE_TRANSIENT; }
static inline int apus_sqlite_defensive(sqlite3 *db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
}

// Extended result codes are computed macros, which Swift does not import.
enum {
    APUS_SQLITE_CONSTRAINT_PRIMARYKEY = SQLITE_CONSTRAINT_PRIMARYKEY,
    APUS_SQLITE_CONSTRAINT_ROWID = SQLITE_CONSTRAINT_ROWID,
    APUS_SQLITE_CONSTRAINT_UNIQUE = SQLITE_CONSTRAINT_UNIQUE,
    APUS_SQLITE_IOERR_DIR_FSYNC = SQLITE_IOERR_DIR_FSYNC,
    APUS_SQLITE_IOERR_FSYNC = SQLITE_IOERR_FSYNC,
};
