-- What a viewer's ranking needs of certain posts, those of the shared trending list or of a page: their counters without
-- a window. Those that are gone, and the viewer's own, are left out. In any order.
-- viewer: whose feed; as_of: milliseconds since 1970; posts, authors: of the list.
SELECT
    post_id, author_id, toUnixTimestamp64Milli(created_at) AS created_ms,
    likes, comments, shares, impressions, interaction_count
FROM novafeed.post_ranking_scores(viewer = {viewer:UUID}, as_of = {as_of:Int64})
WHERE author_id IN {authors:Array(UUID)} AND post_id IN {posts:Array(UUID)}
