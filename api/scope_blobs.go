package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/internal/access"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// seesBlob reports whether a blob may exist for who asks: what a process wrote
// does if the process does. Inputs are of nobody, and named after their content:
// who knows that can name them. What is left is for those who see all.
func (s *server) seesBlob(ctx context.Context, key string) (bool, error) {
	if !access.From(ctx).Scoped() {
		return true, nil
	}
	switch kind, id := blob.Classify(key); kind {
	case blob.KindInput, blob.KindRenewal, blob.KindSweep:
		return true, nil
	case blob.KindData, blob.KindLog, blob.KindArchive:
		return s.sees(ctx, id)
	}
	return false, nil
}

// mayList reports whether there may be something for who asks under a prefix:
// one within what is of a process, or where who imports looks for sweeps. Which
// inputs there are nobody is told who does not see all.
func (s *server) mayList(ctx context.Context, prefix string) (bool, error) {
	if !access.From(ctx).Scoped() || strings.HasPrefix(prefix, "sweeping/") {
		return true, nil
	}
	first, rest, _ := strings.Cut(prefix, "/")
	if id, _, of := strings.Cut(rest, "/"); first == "logs" && of {
		return s.sees(ctx, id)
	}
	if id, _, of := strings.Cut(rest, "."); first == "archives" && of {
		return s.sees(ctx, id)
	}
	if rest == "" && !strings.HasSuffix(prefix, "/") || process.CheckID(first) != nil {
		return false, nil
	}
	return s.sees(ctx, first)
}

// seesListed is seesBlob of what a list has, other than inputs: to find one there
// is to learn its name, which opens it. They would come into the list of a
// process that has the ID of their folder. A folder is of the process that its
// beginning names; those in which things of several lie are not shown.
func (s *server) seesListed(ctx context.Context, b blob.Listed) (bool, error) {
	if !access.From(ctx).Scoped() {
		return true, nil
	}
	if kind, _ := blob.Classify(b.Key); kind == blob.KindInput || kind == blob.KindRenewal {
		return false, nil
	}
	if !b.Folder {
		return s.seesBlob(ctx, b.Key)
	}
	segments := strings.Split(b.Key, "/")
	switch segments[0] {
	case "logs":
		return s.sees(ctx, segments[1])
	case "archives", "cache", "inputs", "renewed", "sha256", "snapshots", "sweeping", "views":
		return false, nil
	}
	return s.sees(ctx, segments[0])
}

func noBlob(key string) error {
	return newProblem(http.StatusNotFound, wire.CodeNoBlob, "there is no blob %q", key)
}

// mayRefer is nil if all that somebody's data and files refer to may exist for
// him: else a process of his would read, and give him, what is another's. What lies
// elsewhere nobody may refer to but where the server was told to read; the workers
// have the last word.
func (s *server) mayRefer(ctx context.Context, files []task.File, inputs map[string]task.Dataset) error {
	for _, f := range files {
		if err := s.mayUse(ctx, f.Ref); err != nil {
			return fmt.Errorf("file %s: %w", f.Name, err)
		}
	}
	for name, data := range inputs {
		for _, p := range data.Parts {
			if err := s.mayUsePart(ctx, p); err != nil {
				return err
			}
		}
		if data.Manifest == nil {
			continue
		}
		if err := s.mayUseList(ctx, name, data); err != nil {
			return err
		}
	}
	return nil
}

// mayUseList reads a list to its end: what it refers to counts as well. It has to
// be the data that it is said to be, for which later tasks take the results of
// this one.
func (s *server) mayUseList(ctx context.Context, name string, data task.Dataset) error {
	m := *data.Manifest
	if err := s.mayUse(ctx, m.Ref); err != nil {
		return err
	}
	list, err := s.Blobs.OpenManifest(ctx, m)
	if err != nil {
		return notThere(m.Key, err)
	}
	content := task.NewDigest()
	for p, err := range list.All(ctx) {
		if err != nil {
			return notThere(m.Key, err)
		}
		if err := s.mayUsePart(ctx, p); err != nil {
			return err
		}
		content.Add(p)
	}
	if sum := content.Sum(); data.Digest != sum || data.Count != list.Count() || data.Keys != list.Keys() {
		return newProblem(http.StatusUnprocessableEntity, wire.CodeInput,
			"input %s is said to have %d parts under %d keys, with the digest %q; its list has %d under %d, with %q: describe it as it is",
			name, data.Count, data.Keys, data.Digest, list.Count(), list.Keys(), sum)
	}
	return nil
}

func (s *server) mayUsePart(ctx context.Context, p task.Part) error {
	if p.Ref == nil {
		return nil
	}
	return s.mayUse(ctx, *p.Ref)
}

func (s *server) mayUse(ctx context.Context, ref task.Ref) error {
	if ref.Elsewhere() {
		return s.mayRead(ref)
	}
	seen, err := s.seesBlob(ctx, ref.Key)
	if err == nil && !seen {
		err = notThere(ref.Key, blob.ErrNotFound)
	}
	return err
}

// mayRead refuses what refers to data elsewhere that is not read for others.
func (s *server) mayRead(ref task.Ref) error {
	if err := s.Blobs.MayRead(ref); err != nil {
		return newProblem(http.StatusUnprocessableEntity, wire.CodeInput, "what was submitted refers to data outside of the blob store: %v", err)
	}
	return nil
}

// notThere refuses what refers to a blob that is not there as it is referred to.
func notThere(key string, err error) error {
	why := err.Error()
	if errors.Is(err, blob.ErrNotFound) {
		why = fmt.Sprintf("there is no blob %q", key)
	}
	return newProblem(http.StatusUnprocessableEntity, wire.CodeInput,
		"what was submitted refers to a blob that is not there as it says: %s: PUT /v1/blobs/KEY stores one", why)
}
