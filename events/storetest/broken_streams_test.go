package storetest

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/deedrun/deed/events"
)

var flawsOfLists = []flaw{
	{"streams are listed once each, sorted", "streams are listed backwards", each(func(f *flawed) {
		f.streams = func(ctx context.Context, prefix string) ([]string, error) {
			names, err := f.Driver.Streams(ctx, prefix)
			slices.Reverse(names)
			return names, err
		}
	})},

	{"streams are listed by the beginning of their names", "whatever is asked for, all streams are listed", each(func(f *flawed) {
		f.streams = func(ctx context.Context, _ string) ([]string, error) {
			return f.Driver.Streams(ctx, "")
		}
	})},

	{"a stream is listed as soon as it exists, by whoever asks", "a list of streams that was empty stays so", each(func(f *flawed) {
		var mu sync.Mutex
		empty := false
		f.streams = func(ctx context.Context, prefix string) ([]string, error) {
			names, err := f.Driver.Streams(ctx, prefix)
			mu.Lock()
			defer mu.Unlock()
			if empty && prefix == "" && err == nil {
				return nil, nil
			}
			empty = prefix == "" && len(names) == 0
			return names, err
		}
	})},

	{"hundreds of streams are listed", "a list of streams ends after 256", each(func(f *flawed) {
		f.streams = func(ctx context.Context, prefix string) ([]string, error) {
			names, err := f.Driver.Streams(ctx, prefix)
			return names[:min(len(names), 256)], err
		}
	})},

	{"the ends of many streams are their last commits", "the end of a stream, where many are asked for, is its first commit", each(func(f *flawed) {
		f.endOf = func(_ context.Context, stream string) (events.Commit, bool, error) {
			return f.commits(stream)[0], true, nil
		}
	})},

	{"streams whose names look alike do not leak into each other", "a dot in a name is a dash, if such a stream exists", each(func(f *flawed) {
		f.read = func(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
			if f.version(dashed(stream)) > 0 {
				stream = dashed(stream)
			}
			return f.Driver.Read(ctx, stream, after)
		}
	})},

	{"a name of 128 bytes is told from another to the last of them", "a name has 127 bytes for readers", each(func(f *flawed) {
		f.read = func(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
			if len(stream) == 128 {
				names, _ := f.Driver.Streams(context.WithoutCancel(ctx), stream[:127])
				stream = append(names, stream)[0]
			}
			return f.Driver.Read(ctx, stream, after)
		}
	})},
}

func dashed(s string) string { return strings.ReplaceAll(s, ".", "-") }
