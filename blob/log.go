package blob

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/deedrun/deed/task"
)

// LogName names the log of one execution of a task: what it printed. The same
// attempt may run on two workers; the nonce of the execution tells them apart.
//
// A log lies in chunks under
//
//	logs/<process>/<address>/<generation>/<index>/<attempt>-<nonce>/000000.log
//
// which are written once, in order, while the task runs.
type LogName struct {
	task.Attempt
	Nonce string
}

// chunkKey is where chunk n of the log lies.
func (l LogName) chunkKey(n int) string { return fmt.Sprintf("%s%06d.log", l.folder(), n) }

// folder is what the keys of all chunks of the log begin with.
func (l LogName) folder() string {
	return fmt.Sprintf("%s%d-%s/", taskLogs(l.Process, l.Address, l.Generation, l.Index), l.Attempt.Attempt, l.Nonce)
}

func processLogs(process string) string { return "logs/" + process + "/" }

func stepLogs(process, address string) string { return processLogs(process) + address + "/" }

func taskLogs(process, address string, generation, index int) string {
	return fmt.Sprintf("%s%d/%d/", stepLogs(process, address), generation, index)
}

// parseChunkKey reads the key of a chunk. ok is false for every other key,
// such as the data of a process that is named "logs".
func parseChunkKey(key string) (log LogName, chunk int, ok bool) {
	segments := strings.Split(key, "/")
	n := len(segments)
	if n < 7 || segments[0] != "logs" {
		return LogName{}, 0, false
	}
	attempt, nonce, _ := strings.Cut(segments[n-2], "-")
	number, _ := strings.CutSuffix(segments[n-1], ".log")
	var err error
	read := func(text string) (n int) {
		if err == nil {
			n, err = strconv.Atoi(text)
		}
		return n
	}
	log.Generation, log.Index, log.Attempt.Attempt, chunk = read(segments[n-4]), read(segments[n-3]), read(attempt), read(number)
	if err != nil {
		return LogName{}, 0, false
	}
	log.Process, log.Address, log.Nonce = segments[1], strings.Join(segments[2:n-4], "/"), nonce
	return log, chunk, log.chunkKey(chunk) == key
}
