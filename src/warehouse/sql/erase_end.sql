TRUNCATE TABLE novafeed.erasing
