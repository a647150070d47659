package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/orchestrator"
)

// Version is what the server is.
func (c *Client) Version(ctx context.Context) (wire.Version, error) {
	var v wire.Version
	err := c.get(ctx, &v, nil, "v1", "version")
	return v, err
}

// Ready is nil when the server can be worked with: everything is orchestrated,
// and the event store answers.
func (c *Client) Ready(ctx context.Context) error {
	return c.get(ctx, nil, nil, "readyz")
}

// Pools is how much work each pool has, and who is there to do it.
func (c *Client) Pools(ctx context.Context) (wire.Pools, error) {
	var p wire.Pools
	err := c.get(ctx, &p, nil, "v1", "pools")
	return p, err
}

// DrainWorker tells a worker to finish what it executes, hand back the rest,
// and leave.
func (c *Client) DrainWorker(ctx context.Context, name string) error {
	return c.post(ctx, nil, nil, "v1", "workers", name, "drain")
}

// Archive moves the history of an ended process into a file.
func (c *Client) Archive(ctx context.Context, id string, who wire.Asked) (wire.Archived, error) {
	var a wire.Archived
	err := c.post(ctx, who, &a, "v1", "processes", id, "archive")
	return a, err
}

// RemoveArchive removes the archive of a process for good.
func (c *Client) RemoveArchive(ctx context.Context, id string, who wire.Asked) (wire.Archived, error) {
	var a wire.Archived
	err := c.call(ctx, request{method: http.MethodDelete, path: []string{"v1", "processes", id, "archive"}, query: asked(who)}, nil, &a)
	return a, err
}

func asked(who wire.Asked) url.Values {
	return url.Values{"by": {who.By}, "reason": {who.Reason}}
}

// ExportArchive writes the file of an archived process.
func (c *Client) ExportArchive(ctx context.Context, id string, to io.Writer) error {
	content, err := c.content(ctx, "v1", "processes", id, "archive")
	if err != nil {
		return err
	}
	_, err = io.Copy(to, content)
	return errors.Join(err, content.Close())
}

// ImportArchive takes in the file of a process that was archived elsewhere. One
// that is no archive is a *wire.Problem of wire.CodeArchiveFile.
func (c *Client) ImportArchive(ctx context.Context, file io.Reader, who wire.Asked) (wire.Archived, error) {
	var a wire.Archived
	r := request{method: http.MethodPost, path: []string{"v1", "archives"}, query: asked(who), body: io.NopCloser(file), typ: "application/octet-stream"}
	err := c.call(ctx, r, nil, &a)
	return a, err
}

// Due lists what ended before a time, of the definition of a name if that is
// given; or, with the zero time, what the retention settings ask for now.
func (c *Client) Due(ctx context.Context, before time.Time, name string) ([]orchestrator.Due, error) {
	var all wire.Dues
	query := url.Values{}
	if !before.IsZero() {
		query.Set("before", before.UTC().Format(time.RFC3339Nano))
		query.Set("name", name)
	}
	err := c.get(ctx, &all, query, "v1", "archives", "due")
	return all.Due, err
}

// Retentions lists how long ended processes are kept.
func (c *Client) Retentions(ctx context.Context) ([]orchestrator.Retention, error) {
	var all wire.Retentions
	err := c.get(ctx, &all, nil, "v1", "retention")
	return all.Retention, err
}

// SetRetention sets how long the processes of a definition are kept.
func (c *Client) SetRetention(ctx context.Context, r orchestrator.Retention) error {
	keep := wire.Keep{By: r.By, Reason: r.Reason, ArchiveAfter: r.ArchiveAfter, RemoveAfter: r.RemoveAfter}
	return c.call(ctx, request{method: http.MethodPut, path: []string{"v1", "retention", r.Name}}, keep, nil)
}

// UnsetRetention takes a setting back; known is false if there is none.
func (c *Client) UnsetRetention(ctx context.Context, name string, who wire.Asked) (known bool, err error) {
	return found(c.call(ctx, request{method: http.MethodDelete, path: []string{"v1", "retention", name}, query: asked(who)}, nil, nil))
}

// CollectGarbage finds the blobs that no process refers to, and removes them if
// it is asked to.
func (c *Client) CollectGarbage(ctx context.Context, by wire.GC) (wire.GCReport, error) {
	var report wire.GCReport
	err := c.post(ctx, by, &report, "v1", "gc")
	return report, err
}

// Quarantine lists the messages that could not be used, the oldest first.
func (c *Client) Quarantine(ctx context.Context) ([]wire.Quarantined, error) {
	var all wire.QuarantineList
	err := c.get(ctx, &all, nil, "v1", "quarantine")
	return all.Messages, err
}

// Quarantined is the message of a number; ok is false if there is none.
func (c *Client) Quarantined(ctx context.Context, number uint64) (m wire.Quarantined, ok bool, err error) {
	ok, err = found(c.get(ctx, &m, nil, "v1", "quarantine", strconv.FormatUint(number, 10)))
	return m, ok, err
}

// RetryQuarantined sends a message again to the queue that it came from; ok is
// false if there is none of that number.
func (c *Client) RetryQuarantined(ctx context.Context, number uint64) (ok bool, err error) {
	return found(c.post(ctx, nil, nil, "v1", "quarantine", strconv.FormatUint(number, 10), "retry"))
}

// found tells what is not there from what went wrong.
func found(err error) (bool, error) {
	if IsCode(err, wire.CodeNotFound) {
		return false, nil
	}
	return err == nil, err
}

// ViewStatus says what is stored of views.
func (c *Client) ViewStatus(ctx context.Context) ([]orchestrator.ViewStatus, error) {
	var all wire.Views
	err := c.get(ctx, &all, nil, "v1", "views")
	return all.Views, err
}

// RebuildViews folds the views from the first event.
func (c *Client) RebuildViews(ctx context.Context) (orchestrator.Rebuilt, error) {
	var r orchestrator.Rebuilt
	if err := c.post(ctx, nil, &r, "v1", "views", "rebuild"); err != nil {
		return r, fmt.Errorf("rebuild the views: %w", err)
	}
	return r, nil
}
