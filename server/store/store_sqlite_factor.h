/* Statements of store_sqlite_factor.c; a part of SQL_MAP in store_sqlite_internal.h. */
#ifndef PRA_SERVER_STORE_STORE_SQLITE_FACTOR_H
#define PRA_SERVER_STORE_STORE_SQLITE_FACTOR_H

#define SQL_LEASE_COLUMNS "id, user_id, key_id, machine, hash, made, expires FROM factor_leases"

#define SQL_FACTOR_MAP(X)                                                                          \
    X(SQL_FACTOR_USER_POLICY, "SELECT policy FROM factor_users WHERE user_id = ?")                 \
    X(SQL_FACTOR_GROUP_POLICY, "SELECT policy FROM factor_groups WHERE group_id = ?")              \
    X(SQL_FACTOR_USER_POLICY_SET, "INSERT OR REPLACE INTO factor_users VALUES (?, ?)")             \
    X(SQL_FACTOR_GROUP_POLICY_SET, "INSERT OR REPLACE INTO factor_groups VALUES (?, ?)")           \
    X(SQL_FACTOR_USER_POLICY_DROP, "DELETE FROM factor_users WHERE user_id = ?")                   \
    X(SQL_FACTOR_GROUP_POLICY_DROP, "DELETE FROM factor_groups WHERE group_id = ?")                \
    X(SQL_FACTOR_POLICY_EACH, "SELECT u.name, max(p.policy), max(p.active) FROM"                   \
                              " (SELECT user_id, policy, 0 AS active FROM factor_users"            \
                              " UNION ALL SELECT m.user_id, g.policy, 0 FROM factor_groups g"      \
                              " JOIN members m ON m.group_id = g.group_id"                         \
                              " WHERE m.user_id NOT IN (SELECT user_id FROM factor_users)"         \
                              " UNION ALL SELECT user_id, 0, 1 FROM factors WHERE active = 1) p"   \
                              " JOIN users u ON u.id = p.user_id GROUP BY u.id ORDER BY u.name")   \
    X(SQL_FACTOR_GET, "SELECT user_id, secret, active, step, made, made_by, used, wrong,"          \
                      " paused_until, told FROM factors WHERE user_id = ?")                        \
    X(SQL_FACTOR_SET, "INSERT OR REPLACE INTO factors VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")      \
    X(SQL_FACTOR_REMOVE, "DELETE FROM factors WHERE user_id = ?")                                  \
    X(SQL_FACTOR_RECOVERY_CLEAR, "DELETE FROM factor_recovery WHERE user_id = ?")                  \
    X(SQL_FACTOR_RECOVERY_ADD, "INSERT INTO factor_recovery (user_id, hash) VALUES (?, ?)")        \
    X(SQL_FACTOR_RECOVERY_USE, "DELETE FROM factor_recovery WHERE user_id = ? AND hash = ?")       \
    X(SQL_FACTOR_RECOVERY_COUNT, "SELECT count(*) FROM factor_recovery WHERE user_id = ?")         \
    X(SQL_LEASE_ADD, "INSERT INTO factor_leases (user_id, key_id, machine, hash, made, expires)"   \
                     " VALUES (?, ?, ?, ?, ?, ?)")                                                 \
    X(SQL_LEASE_TRIM, "DELETE FROM factor_leases WHERE user_id = ?1 AND id NOT IN (SELECT id"      \
                      " FROM factor_leases WHERE user_id = ?1 ORDER BY id DESC LIMIT ?2)")         \
    X(SQL_LEASE_EACH, "SELECT " SQL_LEASE_COLUMNS " ORDER BY id DESC")                             \
    X(SQL_LEASE_OF, "SELECT " SQL_LEASE_COLUMNS " WHERE user_id = ? ORDER BY id DESC")             \
    X(SQL_LEASE_DELETE, "DELETE FROM factor_leases WHERE id = ?")                                  \
    X(SQL_LEASE_CLEAR, "DELETE FROM factor_leases WHERE user_id = ?")                              \
    X(SQL_LEASE_CLEAR_KEY, "DELETE FROM factor_leases WHERE key_id = ?")                           \
    X(SQL_LEASE_CLEAR_GROUP, "DELETE FROM factor_leases WHERE user_id IN"                          \
                             " (SELECT user_id FROM members WHERE group_id = ?)")                  \
    X(SQL_LEASE_EXPIRE, "DELETE FROM factor_leases WHERE expires <= ?")

#endif
