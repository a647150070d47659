// Package visits makes sessions and counts of the access logs of web servers. Its
// handlers are what an ordinary job has to write itself; splitting, shuffling and
// sorting are done by the handlers that every worker has:
//
//	logs/parse     lines of a log               → requests of people, as CSV; what could not be read
//	logs/sessions  requests by visitor and time → sessions
//	logs/tally     requests                     → how often each page, each missing path, each referrer occurs
//	logs/total     such counts                  → their sums
//	logs/summary   sessions                     → what they have in common, as one value
//
// A visitor is an address and a browser, known by a digest of both. A request that
// comes half an hour or more after the last one of its visitor begins a session.
package visits
