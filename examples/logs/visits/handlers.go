package visits

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/deedrun/deed/worker"
)

// Register offers the handlers of this package.
func Register(reg *worker.Registry) {
	worker.Handle(reg, "logs/parse", parse)
	worker.Handle(reg, "logs/sessions", cutSessions)
	worker.Handle(reg, "logs/tally", count)
	worker.Handle(reg, "logs/total", total)
	worker.Handle(reg, "logs/summary", summary)
}

// parse reads the lines of `log`. What people asked for goes to `requests`, lines that make
// no sense as they are to `rejected`, and their number to `unreadable`.
func parse(_ context.Context, t *worker.Task) error {
	var own string
	if err := t.Param("own", &own); err != nil {
		return worker.Permanent(err)
	}
	in, err := t.Open("log")
	if err != nil {
		return err
	}
	defer in.Close()
	requests, err := createTable(t, "requests", requestColumns)
	if err != nil {
		return err
	}
	rejected, err := t.Create("rejected")
	if err != nil {
		return err
	}
	unreadable := 0
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n') // deed/split has refused lines that are too long
		if err == io.EOF && line == "" {
			break
		}
		if err != nil && err != io.EOF {
			return err
		}
		r, wrong := ParseRequest(line, own)
		switch {
		case wrong != nil:
			unreadable++
			_, err = io.WriteString(rejected, line)
		case !r.Robot:
			err = requests.write(r.row()...)
		}
		if err != nil && err != io.EOF {
			return err
		}
	}
	return errors.Join(requests.close(), rejected.Close(), t.Emit("unreadable", unreadable))
}

// cutSessions reads requests in the order of visitor and time.
func cutSessions(_ context.Context, t *worker.Task) error {
	var minutes float64
	if err := t.Param("pause", &minutes); err != nil {
		return worker.Permanent(err)
	}
	if minutes <= 0 {
		return worker.Permanent(fmt.Errorf("the parameter pause is %g: give the minutes of a pause that ends a session", minutes))
	}
	out, err := createTable(t, "sessions", sessionColumns)
	if err != nil {
		return err
	}
	s := sessions{gap: time.Duration(minutes * float64(time.Minute)), emit: func(s Session) error { return out.write(s.row()...) }}
	err = eachRequest(t, "requests", s.add)
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return err
	}
	return out.close()
}

// count reads requests in any order.
func count(_ context.Context, t *worker.Task) error {
	counts := tally{}
	err := eachRequest(t, "requests", func(r Request) error {
		counts.add(r)
		return nil
	})
	if err != nil {
		return err
	}
	return writeCounts(t, counts)
}

// total adds up counts.
func total(_ context.Context, t *worker.Task) error {
	sums := tally{}
	err := readTables(t, "counts", countColumns, func(row []string) error {
		n, err := strconv.ParseInt(row[2], 10, 64)
		if err != nil {
			return worker.Permanent(err)
		}
		sums[entry{row[0], row[1]}] += n
		return nil
	})
	if err != nil {
		return err
	}
	return writeCounts(t, sums)
}

func writeCounts(t *worker.Task, counts tally) error {
	out, err := createTable(t, "counts", countColumns)
	if err != nil {
		return err
	}
	return counts.writeTo(out)
}

func eachRequest(t *worker.Task, local string, do func(Request) error) error {
	return readTables(t, local, requestColumns, func(row []string) error {
		r, err := requestOf(row)
		if err != nil {
			return err
		}
		return do(r)
	})
}

// Summary is what sessions have in common.
type Summary struct {
	Sessions int     `json:"sessions"`
	Visitors int     `json:"visitors"`
	Pages    int     `json:"pages"`
	Single   int     `json:"single"`  // sessions of at most one page
	Seconds  float64 `json:"seconds"` // of a session, on average
}

// summary reads all sessions. The set of visitors is in memory.
func summary(_ context.Context, t *worker.Task) error {
	var s Summary
	visitors := map[string]struct{}{}
	err := readTables(t, "sessions", sessionColumns, func(row []string) error {
		pages, err := strconv.Atoi(row[3])
		seconds, err2 := strconv.Atoi(row[4])
		if err := errors.Join(err, err2); err != nil {
			return worker.Permanent(err)
		}
		visitors[row[1]] = struct{}{}
		s.Sessions++
		s.Pages += pages
		s.Seconds += float64(seconds)
		if pages <= 1 {
			s.Single++
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.Visitors = len(visitors)
	if s.Sessions > 0 {
		s.Seconds /= float64(s.Sessions)
	}
	return t.Emit("summary", s)
}
