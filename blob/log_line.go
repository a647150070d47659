package blob

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strings"
	"time"
)

// LogStream is where a line of a log comes from.
type LogStream string

// The streams of a log.
const (
	LogOut  LogStream = "out" // standard output of a program
	LogErr  LogStream = "err" // standard error of a program
	LogTask LogStream = "log" // what a handler logs
	LogGap  LogStream = "gap" // not printed by the task: says what is missing here

	logEnd LogStream = "end" // the last line of a chunk: says what the chunk must hold
)

// LogLine is a line of a log.
type LogLine struct {
	Time   time.Time
	Stream LogStream
	Text   string // valid UTF-8, without the newline
}

// A chunk is text that a person can read as it lies there: lines of time,
// stream and text, in columns. The last one makes it verifiable:
//
//	2026-11-21T10:36:17.042000Z out 17 files
//	2026-11-21T10:36:17.043120Z err no such row
//	2026-11-21T10:36:19.000000Z end 85 bytes, CRC-32C c67e05b4
const (
	logTime   = "2006-01-02T15:04:05.000000Z"
	logPrefix = len(logTime) + len(" out ")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendPrefix begins a line. It always has logPrefix bytes.
func appendPrefix(b []byte, at time.Time, stream LogStream) []byte {
	b = append(at.UTC().AppendFormat(b, logTime), ' ')
	return append(append(b, stream...), ' ')
}

// sealChunk appends the line that tells a whole chunk from a torn one.
func sealChunk(chunk []byte, at time.Time) []byte {
	size, sum := len(chunk), crc32.Checksum(chunk, castagnoli)
	return fmt.Appendf(appendPrefix(chunk, at, logEnd), "%d bytes, CRC-32C %08x\n", size, sum)
}

// openChunk is what a chunk holds before its last line, and whether that is
// all of what was written. Of a chunk that is not, it is what there is.
func openChunk(data []byte) (lines []byte, whole bool) {
	body := bytes.TrimSuffix(data, []byte("\n"))
	at := bytes.LastIndexByte(body, '\n') + 1
	last, ok := parseLine(body[at:])
	if !ok || last.Stream != logEnd {
		return data, false
	}
	return data[:at], bytes.Equal(sealChunk(data[:at:at], last.Time), data)
}

// parseLine reads a line without its newline.
func parseLine(line []byte) (l LogLine, ok bool) {
	if len(line) < logPrefix || line[len(logTime)] != ' ' || line[logPrefix-1] != ' ' {
		return LogLine{}, false
	}
	stream := LogStream(line[len(logTime)+1 : logPrefix-1])
	switch stream {
	case LogOut, LogErr, LogTask, LogGap, logEnd:
	default:
		return LogLine{}, false
	}
	at, err := time.Parse(logTime, string(line[:len(logTime)]))
	if err != nil {
		return LogLine{}, false
	}
	return LogLine{Time: at, Stream: stream, Text: strings.ToValidUTF8(string(line[logPrefix:]), "\uFFFD")}, true
}
