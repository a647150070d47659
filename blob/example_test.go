package blob_test

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/deedrun/deed/blob"
)

// A blob is written once, named by its content, and verified by its readers.
func Example() {
	ctx := context.Background()
	store, err := blob.Open(ctx, "mem://")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()

	w, err := store.Create(ctx, "word-count/count/0/17/1-x7f3/partial")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Abort()
	fmt.Fprintln(w, "the: 3")
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}

	r, err := store.Open(ctx, w.Ref())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	if _, err := io.Copy(os.Stdout, r); err != nil {
		fmt.Println(err)
	}
	// Output: the: 3
}
