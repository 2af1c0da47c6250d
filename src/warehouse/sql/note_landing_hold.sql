INSERT INTO novafeed.landing_holds (holder, state, until)
SELECT {holder:String}, {state:String}, now64(3, 'UTC') + toIntervalSecond({seconds:Int64})
