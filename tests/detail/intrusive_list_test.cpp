#include <asyncio/detail/intrusive_list.h>

#include <gtest/gtest.h>

#include <vector>

namespace {

using asyncio::detail::IntrusiveList;
using asyncio::detail::IntrusiveStack;
using asyncio::detail::ListHook;

struct Item : ListHook<> {
    explicit Item(int value) : number(value) {}
    int number;
};

template <class List>
std::vector<int> numbers(List& list) {
    std::vector<int> found;
    for (Item& item : list) found.push_back(item.number);
    return found;
}

using Numbers = std::vector<int>;
static_assert(sizeof(IntrusiveStack<Item>) == sizeof(void*));

class IntrusiveStackTest : public testing::Test {
protected:
    IntrusiveStackTest() {
        stack_.push(one_);
        stack_.push(two_);
        stack_.push(three_);
    }

    Item one_{1}, two_{2}, three_{3};
    IntrusiveStack<Item> stack_;
};

TEST_F(IntrusiveStackTest, HasTheNewestFirst) {
    EXPECT_EQ(numbers(stack_), (Numbers{3, 2, 1}));
    EXPECT_EQ(stack_.pop().number, 3);
    EXPECT_FALSE(three_.is_linked());
    EXPECT_EQ(numbers(stack_), (Numbers{2, 1}));
}

TEST_F(IntrusiveStackTest, AMemberLeavesFromAnyPlace) {
    two_.unlink();
    EXPECT_EQ(numbers(stack_), (Numbers{3, 1}));
    one_.unlink();  // the oldest: nothing comes behind it
    EXPECT_EQ(numbers(stack_), Numbers{3});
    three_.unlink();
    EXPECT_TRUE(stack_.empty());
    stack_.push(one_);
    EXPECT_EQ(numbers(stack_), Numbers{1});
}

TEST_F(IntrusiveStackTest, TheOldestIsLinkedToo) {
    EXPECT_TRUE(one_.is_linked());
    EXPECT_TRUE(three_.is_linked());
}

TEST_F(IntrusiveStackTest, AMemberThatDiesLeaves) {
    {
        Item four(4);
        stack_.push(four);
    }
    EXPECT_EQ(numbers(stack_), (Numbers{3, 2, 1}));
}

TEST_F(IntrusiveStackTest, AnotherTakesTheFirstTheMiddleAndTheLastPlace) {
    Item four(4), five(5), six(6);
    three_.give_place_to(four);
    two_.give_place_to(five);
    one_.give_place_to(six);
    EXPECT_EQ(numbers(stack_), (Numbers{4, 5, 6}));
    EXPECT_FALSE(one_.is_linked());
    while (!stack_.empty()) stack_.pop();
}

TEST_F(IntrusiveStackTest, MovesToTheFrontOfAListTheOldestFirst) {
    Item four(4);
    IntrusiveList<Item> list;
    list.push_back(four);
    stack_.move_to(list);
    EXPECT_EQ(numbers(list), (Numbers{1, 2, 3, 4}));
    EXPECT_TRUE(stack_.empty());
}

TEST(IntrusiveStack, ItsMembersOutliveIt) {
    Item one(1), two(2);
    {
        IntrusiveStack<Item> stack;
        stack.push(one);
        stack.push(two);
    }
    EXPECT_FALSE(one.is_linked());
    EXPECT_FALSE(two.is_linked());
}

TEST(IntrusiveList, MembersThatAreLeftWhenItDiesMayStillLeave) {
    Item one(1), two(2);
    {
        IntrusiveList<Item> list;
        list.push_back(one);
        list.push_back(two);
    }
    one.unlink();
    EXPECT_FALSE(one.is_linked());
    two.unlink();
    EXPECT_FALSE(two.is_linked());
}

}  // namespace
