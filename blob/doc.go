// Package blob stores the data of processes: immutable bytes, verified by
// whoever reads them, over the backends of gocloud.dev/blob.
//
// A blob is written once under a key and never overwritten; a [task.Ref] names
// it by key, size and SHA-256. A reader that meets other bytes gets a
// *[CorruptError], never a clean end of file. Where blobs lie is a URL:
//
//	file:///var/lib/deed/blobs   an absolute directory
//	file://.deed/blobs           a directory relative to the working directory
//	mem://                       memory of this process, gone with Close
//	s3://… gs://… azblob://…     if the binary links the driver: see blob/cloud
//
// On top of single blobs there are lists of parts, so that a million of them
// cost an event a few hundred bytes:
//
//	report    what one execution produced, JSON lines in the order of creation
//	manifest  what a name holds: parts ordered by (key, index, ordinal), in chunks
//	          that can be read, and verified, one by one
//
//	worker ── Create, Import ──► blobs ◄── Open, ReadAll ── worker
//	       ── WriteReport ─────► report ─┐
//	                                     ▼ Seal
//	       ◄─ Part, Group, Bucket ── manifest
//
// What a [Store] does, by what it is for:
//
//	blobs                Create, Open, ReadAll
//	content, once each   Import, ImportFile, ImportPaths, StoreContent, Want
//	names, unverified    StoreNamed, ReadNamed, OpenUnverified, Remove, Names, Sync
//	lists of parts       WriteReport, ReadReport, Seal, Dataset, NewManifest, OpenManifest, KeyNames, OpenPart
//	data elsewhere       Refer, Link, AllowReading, AskReading, MayRead
//	logs of tasks        CreateLog, OpenLog, Logs, TaskLogs
//	results of tasks     Cache
//	lent to others       List, Receive
//	clearing up          Objects, Sweep, SweepShared
//
// # Limits
//
// A key is at most 1,024 bytes of UTF-8 in segments of at most 200 bytes; see
// [CheckKey]. A part encodes to at most 1 MiB. Nothing holds a whole blob or
// list in memory, except for the distinct keys of a manifest and, in Seal, the
// reports being merged.
//
// What a store elsewhere is asked may reach it twice, since it is asked again when
// it does not answer; a writer knows its own blob by a mark in its metadata.
//
// A Store does not sync files to disk: after a power cut a blob may be missing
// or short. Readers notice, and importing the same content again replaces what
// is short. A process that is killed may leave unfinished files, *.tmp, behind.
package blob
