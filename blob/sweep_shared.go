package blob

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// A blob that is named after its content may be wanted again long after it was
// written: an import that finds it there takes it as it is. A sweep that saw
// nobody refer to it may be about to remove it. The two tell each other:
//
//	import                                  sweep
//	1. write renewed/<key>                  1. write sweeping/<nonce>
//	2. is anybody sweeping?                 2. was the blob written or renewed lately?
//	   then wait until that is over            no: remove it
//	3. is the blob there? else write it     3. remove sweeping/<nonce>
//
// Each writes before it looks, so at least one sees the other, in any store in
// which what was written can be seen at once. Old renewals are swept the same
// way, so an import looks whether its own is there still. Sweeps exclude each
// other by the same mark. Whoever is killed with a mark set holds up others for sweepDead
// and no longer, since a sweep itself stops removing after sweepHold.
const (
	renewals = "renewed"
	sweeps   = "sweeping"

	// RenewedFor is how long content counts as wanted without a renewal: for
	// so long after it was written or renewed, an import only looks at it.
	RenewedFor = time.Hour

	sweepHold = 20 * time.Second
	sweepDead = time.Minute
	sweepPoll = 50 * time.Millisecond
)

var errSweeping = errors.New("another sweep is under way all the time; try again later")

// renew says that content that is there is wanted, and reports whether it is
// still there when no sweep can remove it any more.
func (s *Store) renew(ctx context.Context, key string, written time.Time) (there bool, err error) {
	if time.Since(written) < RenewedFor {
		return true, nil
	}
	renewal := renewals + "/" + key
	for {
		last, err := s.modTime(ctx, renewal)
		if err != nil {
			return false, err
		}
		if time.Since(last) >= RenewedFor {
			if err := s.mark(ctx, renewal); err != nil {
				return false, err
			}
		}
		if err := s.outwait(ctx); err != nil {
			return false, err
		}
		last, err = s.modTime(ctx, renewal)
		if err != nil {
			return false, err
		}
		if !last.IsZero() { // else that sweep had seen an older one, and removed this
			break
		}
	}
	now, err := s.modTime(ctx, key)
	return !now.IsZero(), err
}

// mark writes a blob that only says when it was written.
func (s *Store) mark(ctx context.Context, key string) error {
	w, err := s.create(ctx, key, true)
	if err != nil {
		return err
	}
	return w.Close()
}

// modTime is when a blob was written; the zero time if it is not there.
func (s *Store) modTime(ctx context.Context, key string) (time.Time, error) {
	attrs, err := s.attributes(ctx, key)
	switch {
	case err == nil:
		return attrs.ModTime, nil
	case isNotFound(err):
		return time.Time{}, nil
	}
	return time.Time{}, fmt.Errorf("look for blob %q: %w", key, err)
}

// sweepMarks lists the marks of the sweeps that are under way, and not what a
// process wrote that is named "sweeping".
func (s *Store) sweepMarks(ctx context.Context) ([]string, error) {
	marks, err := s.Names(ctx, sweeps+"/")
	return slices.DeleteFunc(marks, func(key string) bool {
		kind, _ := Classify(key)
		return kind != KindSweep
	}), err
}

// outwait returns when every sweep that is under way now is over. It goes by
// its own patience, not by clocks: the mark of one that was killed is removed
// once it has been seen for sweepDead.
func (s *Store) outwait(ctx context.Context) error {
	marks, err := s.sweepMarks(ctx)
	if err != nil {
		return err
	}
	patience := time.Now().Add(sweepDead)
	for _, mark := range marks {
		for {
			at, err := s.modTime(ctx, mark)
			if err != nil {
				return err
			}
			if at.IsZero() {
				break
			}
			if time.Now().After(patience) {
				if err := s.Remove(ctx, mark); err != nil {
					return err
				}
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("wait for a sweep of blobs: %w", context.Cause(ctx))
			case <-time.After(sweepPoll):
			}
		}
	}
	return nil
}

// SweepShared removes those of the objects, blobs named after their content and
// renewals of such, that were neither written nor renewed since `before`; gone
// hears of each, one at a time. What it has no time for it leaves to the next
// sweep. Other sweeps that leave it no chance are an error.
func (s *Store) SweepShared(ctx context.Context, objects []Object, before time.Time, gone func(Object)) error {
	own, until, err := s.startSweep(ctx)
	if err != nil {
		return fmt.Errorf("sweep inputs: %w", err)
	}
	held, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	err = s.removeEach(held, objects, false, func(ctx context.Context, o Object) (bool, error) {
		written, err := s.modTime(ctx, o.Key)
		if err != nil || written.IsZero() || written.After(before) {
			return false, err
		}
		renewed, err := s.modTime(ctx, renewals+"/"+o.Key)
		return err == nil && !renewed.After(before), err
	}, gone)
	if held.Err() != nil && ctx.Err() == nil {
		err = nil // the store is slow
	}
	return errors.Join(err, s.Remove(context.WithoutCancel(ctx), own))
}

// startSweep sets the mark of a sweep, which holds until a time, once it is the
// only one. Two that start at once see each other: both step back, and try
// again at different times.
func (s *Store) startSweep(ctx context.Context) (own string, until time.Time, err error) {
	own = sweeps + "/" + strings.ToLower(crand.Text())
	for range 20 {
		if err := s.outwait(ctx); err != nil {
			return "", until, err
		}
		until = time.Now().Add(sweepHold)
		err := s.mark(ctx, own)
		if err != nil {
			return "", until, err
		}
		marks, err := s.sweepMarks(ctx)
		if err == nil && len(marks) == 1 {
			return own, until, nil
		}
		if err := errors.Join(err, s.Remove(context.WithoutCancel(ctx), own)); err != nil {
			return "", until, err
		}
		time.Sleep(rand.N(sweepPoll))
	}
	return "", until, errSweeping
}
