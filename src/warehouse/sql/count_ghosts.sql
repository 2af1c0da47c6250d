-- Rows that stand as if they were there, and are not in the state of the graph that was landed as of this version: each
-- row of it has the version, or a later one.
SELECT assumeNotNull(
    (SELECT count() FROM novafeed.users_cdc FINAL WHERE _version < {version:UInt64})
    + (SELECT count() FROM novafeed.posts_cdc FINAL WHERE _version < {version:UInt64})
    + (SELECT count() FROM novafeed.comments_cdc FINAL WHERE _version < {version:UInt64})
    + (SELECT count() FROM novafeed.likes_cdc FINAL WHERE _version < {version:UInt64})
    + (SELECT count() FROM novafeed.follows_cdc FINAL WHERE _version < {version:UInt64})) AS ghosts
