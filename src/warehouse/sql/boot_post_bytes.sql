-- How many bytes a post's content takes, on average.
SELECT intDiv(sum(length(text)), greatest(count(), 1)) AS bytes FROM novafeed.posts_cdc
