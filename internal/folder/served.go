package folder

import (
	"context"
	"time"
)

// WhileServed is a context that ends when the server at an address of the
// folder does, or another one takes its place: a connection would wait for it
// for ever.
func (f Folder) WhileServed(ctx context.Context, a Address) (context.Context, context.CancelFunc) {
	served, cancel := context.WithCancel(ctx)
	go func() {
		look := time.NewTicker(100 * time.Millisecond)
		defer look.Stop()
		for {
			select {
			case <-served.Done():
				return
			case <-look.C:
				if now, err := f.Server(); err != nil || now != a {
					cancel()
				}
			}
		}
	}()
	return served, cancel
}
