package shopapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client calls the API.
type Client struct {
	base string
	http *http.Client
}

// Error is an answer other than success.
type Error struct {
	Code    int // HTTP status
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("api answered %d: %s", e.Code, e.Message) }

// NewClient returns a client of the API at a URL such as "http://api:8080".
func NewClient(base string) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // a neighbour is reached directly, whatever HTTP_PROXY says
	return &Client{
		base: strings.TrimSuffix(base, "/"),
		http: &http.Client{Transport: transport, Timeout: 10 * time.Second},
	}
}

// Products lists what is for sale.
func (c *Client) Products(ctx context.Context) ([]Product, error) {
	var list ProductList
	err := c.call(ctx, http.MethodGet, "/products", nil, &list)
	return list.Products, err
}

// PlaceOrder orders; the answer is a placed order that is confirmed or rejected later.
func (c *Client) PlaceOrder(ctx context.Context, order NewOrder) (Order, error) {
	var placed Order
	err := c.call(ctx, http.MethodPost, "/orders", order, &placed)
	return placed, err
}

// Order returns one order as it is now.
func (c *Client) Order(ctx context.Context, id string) (Order, error) {
	var order Order
	err := c.call(ctx, http.MethodGet, "/orders/"+url.PathEscape(id), nil, &order)
	return order, err
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, &body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		var problem struct{ Error string }
		if err := json.NewDecoder(res.Body).Decode(&problem); err != nil {
			problem.Error = http.StatusText(res.StatusCode)
		}
		return &Error{Code: res.StatusCode, Message: problem.Error}
	}
	return json.NewDecoder(res.Body).Decode(out)
}
