// Package backtest measures forecasts against what came, and chooses between
// models by that.
//
// Forecasts are made from several days, the origins, a week apart, each with
// nothing but the days before it (a rolling origin). Those of the validation
// choose the model of a series; those of the test, which come after all that
// the validation has seen, say what the choice is worth:
//
//	history ───────────┬──────validation──────┬────test────┐ end
//	                   o──14 days──►
//	                     o──14 days──►
//	                              …           o──14 days──►
//
// [Choose] is given the errors of the validation and no others.
package backtest
