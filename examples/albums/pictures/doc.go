// Package pictures makes small pictures of photos, and contact sheets of those:
//
//	albums/shrink  one photo, JPEG or PNG → a small JPEG, and how light it is
//	albums/lift    one small picture      → the same, brighter
//	albums/sheet   the pictures of an album → all of them on one sheet, as PNG
//	albums/page    the sheets             → a page in HTML that shows them
//
// A photo is in memory while it is decoded, and no task has more than one at a time. A file
// that claims more than 100 million pixels is refused before that.
package pictures
