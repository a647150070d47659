package visits

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/deedrun/deed/worker"
)

// The columns of what travels between the steps.
var (
	requestColumns = []string{"visitor", "time", "method", "path", "status", "bytes", "referrer"}
	sessionColumns = []string{"start", "visitor", "requests", "pages", "seconds", "bytes", "entry", "exit"}
	countColumns   = []string{"list", "name", "count"}
)

// table writes rows as CSV, under a header.
type table struct {
	out *worker.Output
	csv *csv.Writer
}

func createTable(t *worker.Task, local string, columns []string) (*table, error) {
	out, err := t.Create(local)
	if err != nil {
		return nil, err
	}
	w := &table{out, csv.NewWriter(out)}
	return w, w.csv.Write(columns)
}

func (w *table) write(row ...string) error { return w.csv.Write(row) }

// close finishes the table: only its error says that it is stored.
func (w *table) close() error {
	w.csv.Flush()
	return errors.Join(w.csv.Error(), w.out.Close())
}

// readTables reads the rows of all parts of an input, without their headers.
// A row is valid during the call only.
func readTables(t *worker.Task, local string, columns []string, row func(row []string) error) error {
	for part, err := range t.Parts(local) {
		if err != nil {
			return err
		}
		if err := readTable(part, columns, row); err != nil {
			return fmt.Errorf("%s of %s: %w", part.Name, local, err)
		}
	}
	return nil
}

func readTable(part worker.Part, columns []string, row func(row []string) error) error {
	in, err := part.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	rows := csv.NewReader(in)
	rows.FieldsPerRecord, rows.ReuseRecord = len(columns), true
	for n := 0; ; n++ {
		fields, err := rows.Read()
		var malformed *csv.ParseError
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &malformed):
			return worker.Permanent(err)
		case err != nil:
			return err
		case n == 0 && !slices.Equal(fields, columns):
			return worker.Permanent(fmt.Errorf("the header is %q, not %q", fields, columns))
		case n == 0:
			continue
		}
		if err := row(fields); err != nil {
			line, _ := rows.FieldPos(0)
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func (r Request) row() []string {
	return []string{
		r.Visitor, strconv.FormatInt(r.Time.Unix(), 10), r.Method, r.Path, strconv.Itoa(r.Status), strconv.FormatInt(r.Bytes, 10), r.Referrer,
	}
}

func requestOf(row []string) (r Request, err error) {
	seconds, err := strconv.ParseInt(row[1], 10, 64)
	status, err2 := strconv.Atoi(row[4])
	size, err3 := strconv.ParseInt(row[5], 10, 64)
	if err := errors.Join(err, err2, err3); err != nil {
		return r, worker.Permanent(err)
	}
	return Request{Visitor: row[0], Time: time.Unix(seconds, 0).UTC(), Method: row[2], Path: row[3], Status: status, Bytes: size, Referrer: row[6]}, nil
}
