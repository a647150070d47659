// Package shop is the service that the example loads from: orders of a shop that does not
// exist, page by page, and as badly behaved as real ones. What a day's feed has is known
// beforehand, so that a test can say what has to be in the database.
package shop
