// The columns of each table, in the order in which they are read and bound.
#pragma once

#define NOVAFEED_USER_COLUMNS "users.id, users.external_id, users.handle, users.name, users.created_at"
#define NOVAFEED_POST_COLUMNS "id, external_id, author_id, text, created_at, deleted_at"
#define NOVAFEED_COMMENT_COLUMNS \
  "id, external_id, post_id, user_id, post_author_id, post_created_at, text, created_at, incarnation"
#define NOVAFEED_LIKE_COLUMNS "user_id, post_id, post_author_id, post_created_at, created_at, incarnation"
#define NOVAFEED_FOLLOW_COLUMNS "follower_id, following_id, created_at, incarnation"
#define NOVAFEED_DISMISSAL_COLUMNS "user_id, dismissed_id, created_at"
#define NOVAFEED_ERASURE_COLUMNS "user_id, pseudonym, erased_at, removed"
#define NOVAFEED_EVENT_COLUMNS "user_id, type, post_id, at, event_id, post_author_id, post_created_at"
