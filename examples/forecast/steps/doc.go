// Package steps has the handlers of the forecast, one a step:
//
//	forecast/split    the table of all airports → a table for each, with its code as key
//	forecast/naive    an airport → its forecasts from all origins, by this model;
//	                  and so forecast/profile, forecast/winters, forecast/theta
//	forecast/choose   airports and their forecasts → scores, and which model is chosen
//	forecast/report   all of those → what people read, and how much better it is than naive
//	forecast/publish  the forecast of the days that nobody knows yet, by the chosen models
//	forecast/draw     all of those → a page with pictures
//
// Data travels as CSV, so that any language can take the place of any step:
// forecast.py takes that of most.
package steps
