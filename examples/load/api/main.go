// Command api serves the orders of a shop that does not exist, for this example.
//
//	go run ./examples/load/api -day 1 -trouble
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/deedrun/deed/examples/load/shop"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8100", "the address to serve")
	day := flag.Int("day", 1, "whose orders, and those of the day before")
	trouble := flag.Bool("trouble", false, "answer some requests with errors, and some not to the end")
	flag.Parse()
	if *day < 1 {
		log.Fatal("api: -day is a number from 1")
	}
	listener, err := net.Listen("tcp", *listen) //nolint:noctx // it ends with the program
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("orders at http://%s/orders", listener.Addr())
	server := &http.Server{Handler: &shop.API{Day: *day, Trouble: *trouble}, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.Serve(listener))
}
