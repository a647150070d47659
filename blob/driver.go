package blob

import (
	"context"
	"fmt"
	"net/url"
	"sync"

	gcblob "gocloud.dev/blob"
)

// Driver opens the stores of a scheme for [Open], in place of what
// gocloud.dev's mux has for it, and knows what their errors mean.
type Driver struct {
	Open func(ctx context.Context, u *url.URL) (*gcblob.Bucket, error)

	// Status is the HTTP status with which the store answered; 0 if an error has
	// none. It may be asked about errors of other drivers.
	Status func(err error) int

	// BeforeWrite, if not nil, is asked to prepare the write of a blob that is sent
	// in pieces of [PieceBytes], as gocloud.dev has it.
	BeforeWrite func(b *gcblob.Bucket, as func(any) bool) error

	// IfMatch, if not nil, makes the read of an object fail unless it still has an
	// ETag, by what gocloud.dev calls As; false: it could not.
	IfMatch func(as func(any) bool, etag string) bool
}

var drivers = struct {
	sync.RWMutex
	byScheme map[string]Driver
}{byScheme: map[string]Driver{}}

// Register makes a driver known, from the init of the package that links it.
// Registering a scheme twice panics.
func Register(scheme string, d Driver) {
	drivers.Lock()
	defer drivers.Unlock()
	if _, taken := drivers.byScheme[scheme]; taken {
		panic(fmt.Sprintf("blob: the scheme %q is registered twice", scheme))
	}
	drivers.byScheme[scheme] = d
}

func registered(scheme string) (Driver, bool) {
	drivers.RLock()
	defer drivers.RUnlock()
	d, ok := drivers.byScheme[scheme]
	return d, ok
}

// httpStatus is the status with which a store answered, as far as a driver
// knows; else 0.
func httpStatus(err error) int {
	drivers.RLock()
	defer drivers.RUnlock()
	for _, d := range drivers.byScheme {
		if status := d.Status(err); status != 0 {
			return status
		}
	}
	return 0
}
