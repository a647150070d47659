// Package wire is what the server of the API and its client say to each other:
// the JSON of requests and answers, the lines of streams, and the errors. Names
// and meaning stay; what is new is added, and who does not know it ignores it.
package wire
