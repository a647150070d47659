// Package models forecasts a daily series from its own past. Each model is a
// function of that past and of nothing else, so a back-test cannot show it the
// future by mistake:
//
//	naive     the same weekday of last week
//	profile   the level of last week, the weekdays as they were in the last eight
//	winters   Holt-Winters: level, damped trend and weekdays, smoothed exponentially
//	theta     the theta method on the series without its weekdays
//
// The first is what the others have to beat. They forecast by what is usual:
// days far from their neighbours, as when it snows, are no pattern ([Clean]).
//
// All of it is arithmetic in a fixed order, without a random number: the same
// series gives the same forecast, in Go and in forecast.py.
package models
