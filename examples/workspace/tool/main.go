// Command tool waits for the services of a list of URLs to be healthy, for scripts and for people.
//
//	go run ./tool http://localhost:8080 http://localhost:8082
package main

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"example.com/workspace/libs/clock"
)

const patience = 30 * time.Second

func main() {
	client := &http.Client{Timeout: 2 * time.Second}
	end := clock.System().Add(patience)
	for _, url := range os.Args[1:] {
		for !healthy(client, url) {
			if clock.System().After(end) {
				fmt.Fprintln(os.Stderr, "tool:", url, "is not healthy")
				os.Exit(1)
			}
			time.Sleep(200 * time.Millisecond)
		}
		fmt.Println(url, "is healthy")
	}
}

func healthy(client *http.Client, url string) bool {
	response, err := client.Get(url + "/healthz")
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}
